package kinesis

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"tandem/services/emulator/wire"
)

const (
	maxGetRecords = 10_000
	maxGetBytes   = 10 << 20
)

// cursor is what an iterator holds.
type cursor struct {
	Stream  string `json:"n"`
	Created int64  `json:"c"`
	Shard   string `json:"s"`
	Seq     uint64 `json:"q"` // the next record to give
	Issued  int64  `json:"i"`
}

func (c cursor) text() string {
	b, _ := json.Marshal(c) // strings and numbers
	return base64.StdEncoding.EncodeToString(b)
}

func parseCursor(text string) (cursor, error) {
	var c cursor
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.Shard == "" {
		return c, wire.Bad("InvalidArgumentException", "Invalid ShardIterator.")
	}
	return c, nil
}

type iteratorIn struct {
	target
	ShardID                string `json:"ShardId"`
	ShardIteratorType      string
	StartingSequenceNumber string
	Timestamp              *wire.Seconds
}

func (s *Service) iterator(_ context.Context, in iteratorIn) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.target)
	if err != nil {
		return nil, err
	}
	sh := st.shard(in.ShardID)
	if sh == nil {
		return nil, st.gone(in.ShardID)
	}
	seq, err := s.startOf(st, sh, in)
	if err != nil {
		return nil, err
	}
	return map[string]string{"ShardIterator": cursor{st.Name, st.Created, sh.ID, seq, time.Now().UnixMilli()}.text()}, nil
}

func (s *Service) startOf(st *stream, sh *shard, in iteratorIn) (uint64, error) {
	next := st.next
	if !sh.open() {
		next = sh.ClosedSeq
	}
	switch in.ShardIteratorType {
	case "TRIM_HORIZON":
		return sh.log.oldest(sh.FirstSeq), nil
	case "LATEST":
		return next, nil
	case "AT_TIMESTAMP":
		if in.Timestamp == nil {
			return 0, wire.Bad("InvalidArgumentException", "Must specify timestamp parameter for iterator of type AT_TIMESTAMP.")
		}
		at := time.Time(*in.Timestamp)
		if at.After(time.Now().Add(time.Second)) {
			return 0, wire.Bad("InvalidArgumentException", "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis.")
		}
		return sh.log.at(at.UnixMilli(), next)
	case "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER":
		seq, ok := parseSequence(in.StartingSequenceNumber)
		if !ok || seq < sh.FirstSeq || !sh.open() && seq > sh.ClosedSeq || seq >= st.next {
			return 0, wire.Bad("InvalidArgumentException",
				"StartingSequenceNumber %s used in GetShardIterator on shard %s in stream %s under account %s is invalid.",
				in.StartingSequenceNumber, sh.ID, st.Name, account)
		}
		if in.ShardIteratorType == "AFTER_SEQUENCE_NUMBER" {
			seq++
		}
		return max(seq, sh.log.oldest(sh.FirstSeq)), nil
	}
	return 0, wire.Bad("InvalidArgumentException", "ShardIteratorType %s is not one of the five.", in.ShardIteratorType)
}

type getIn struct {
	ShardIterator string
	Limit         *int
}

type recordOut struct {
	Data                        []byte
	PartitionKey                string
	SequenceNumber              string
	ApproximateArrivalTimestamp wire.Seconds
	EncryptionType              string
}

type getOut struct {
	Records            []recordOut
	NextShardIterator  *string `json:",omitempty"`
	MillisBehindLatest int64
	ChildShards        []map[string]any `json:",omitempty"`
}

func (s *Service) getRecords(_ context.Context, in getIn) (out getOut, err error) {
	limit := maxGetRecords
	if in.Limit != nil {
		limit = *in.Limit
	}
	if limit < 1 || limit > maxGetRecords {
		return out, wire.Bad("InvalidArgumentException", "Limit must be between 1 and %d.", maxGetRecords)
	}
	c, err := parseCursor(in.ShardIterator)
	if err != nil {
		return out, err
	}
	at := time.Now()
	if at.UnixMilli()-c.Issued > s.o.IteratorLife.Milliseconds() {
		return out, wire.Bad("ExpiredIteratorException", "Iterator expired. The iterator was created at time %s while right now it is %s, which is further in the future than the tolerated delay of %d milliseconds.",
			time.UnixMilli(c.Issued).UTC().Format(time.ANSIC), at.UTC().Format(time.ANSIC), s.o.IteratorLife.Milliseconds())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(target{StreamName: c.Stream})
	if err != nil {
		return out, err
	}
	sh := st.shard(c.Shard)
	if sh == nil || st.Created != c.Created {
		return out, st.gone(c.Shard)
	}
	if s.o.Limits && !sh.mayRead(at) {
		return out, wire.Bad(throttled, "Rate exceeded for shard %s in stream %s under account %s.", sh.ID, st.Name, account)
	}
	return st.read(sh, c, limit, at)
}

func (st *stream) read(sh *shard, c cursor, limit int, at time.Time) (out getOut, err error) {
	records, more, waiting, err := sh.log.read(c.Seq, limit, maxGetBytes)
	if err != nil {
		return out, err
	}
	out.Records = []recordOut{}
	for _, r := range records {
		out.Records = append(out.Records, recordOut{
			Data: r.data, PartitionKey: r.key, SequenceNumber: sequenceText(r.seq),
			ApproximateArrivalTimestamp: wire.Seconds(time.UnixMilli(r.arrived)), EncryptionType: "NONE",
		})
		c.Seq = r.seq + 1
		sh.readDebt += float64(len(r.data) + len(r.key))
	}
	if more {
		out.MillisBehindLatest = max(1, at.UnixMilli()-waiting)
	}
	if !more && !sh.open() {
		out.ChildShards = st.children(sh)
		return out, nil // drained: there is no next iterator
	}
	c.Issued = at.UnixMilli()
	next := c.text()
	out.NextShardIterator = &next
	return out, nil
}

func (st *stream) children(sh *shard) []map[string]any {
	out := []map[string]any{}
	for _, child := range st.Shards {
		for _, p := range child.Parents {
			if p == sh.ID {
				out = append(out, map[string]any{
					"ShardId": child.ID, "ParentShards": child.Parents,
					"HashKeyRange": map[string]string{"StartingHashKey": child.Start.String(), "EndingHashKey": child.End.String()},
				})
			}
		}
	}
	return out
}

// mayRead says whether the shard may be read now: five calls a second, and the
// bytes of the calls before paid off at 2 MB a second.
func (sh *shard) mayRead(at time.Time) bool {
	if !sh.readAt.IsZero() {
		sh.readDebt = max(0, sh.readDebt-readBytes*at.Sub(sh.readAt).Seconds())
	}
	sh.readAt = at
	return sh.readDebt <= readBytes && sh.reads.AllowN(at, 1)
}
