package kinesis

import (
	"context"
	"time"

	"tandem/emulator/wire"
)

// cursor is what an iterator holds, all of it: a restart loses no iterator.
type cursor struct {
	Stream  string `json:"n"`
	Created int64  `json:"c"`
	Shard   string `json:"s"`
	Seq     uint64 `json:"q"` // of the next record to read
	Issued  int64  `json:"i"` // ms
}

func (c cursor) text() string { return encodeToken(c) }

func parseCursor(text string) (c cursor, err error) {
	if !decodeToken(text, &c) || c.Shard == "" {
		return c, wire.Bad("InvalidArgumentException", "Invalid ShardIterator.")
	}
	return c, nil
}

// StreamOf returns the name of the stream that a shard iterator reads; "" where
// the text is no iterator.
func StreamOf(iterator string) string {
	c, err := parseCursor(iterator)
	if err != nil {
		return ""
	}
	return c.Stream
}

// position is where to start reading a shard.
type position struct {
	Type           string
	SequenceNumber string
	Timestamp      *wire.Seconds
}

type iteratorIn struct {
	target
	ShardID                string `json:"ShardId"`
	ShardIteratorType      string
	StartingSequenceNumber string
	Timestamp              *wire.Seconds
}

func (s *Service) iterator(_ context.Context, in iteratorIn) (map[string]string, error) {
	st, done, err := s.acquire(in.target)
	if err != nil {
		return nil, err
	}
	defer done()

	sh, err := st.shard(in.ShardID)
	if err != nil {
		return nil, err
	}
	seq, err := s.start(st, sh, position{in.ShardIteratorType, in.StartingSequenceNumber, in.Timestamp})
	if err != nil {
		return nil, err
	}

	return map[string]string{"ShardIterator": cursor{st.info.Name, st.info.Created, sh.id, seq, s.nowMS()}.text()}, nil
}

// start returns the first sequence number to read.
func (s *Service) start(st *stream, sh *shard, p position) (uint64, error) {
	switch p.Type {
	case "TRIM_HORIZON":
		return sh.firstSeq, nil // reading passes over what is out of retention
	case "LATEST":
		return sh.tip(), nil
	case "AT_TIMESTAMP":
		if p.Timestamp == nil {
			return 0, wire.Bad("InvalidArgumentException", "Must specify timestamp parameter for iterator of type AT_TIMESTAMP.")
		}
		at := time.Time(*p.Timestamp)
		if at.After(s.o.Now().Add(time.Second)) {
			return 0, wire.Bad("InvalidArgumentException", "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis.")
		}
		return s.firstSince(sh, at.UnixMilli())
	case "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER":
		seq, ok := parseSequence(p.SequenceNumber)
		if !ok || seq < sh.firstSeq || seq > sh.highest(s.nowMS()) {
			return 0, wire.Bad("InvalidArgumentException",
				"StartingSequenceNumber %s used in GetShardIterator on shard %s in stream %s under account %s is invalid.",
				p.SequenceNumber, sh.id, st.info.Name, account)
		}
		if p.Type == "AFTER_SEQUENCE_NUMBER" {
			seq++
		}
		return seq, nil
	}
	return 0, invalid("shardIteratorType", "satisfy enum value set: [AFTER_SEQUENCE_NUMBER, AT_SEQUENCE_NUMBER, AT_TIMESTAMP, LATEST, TRIM_HORIZON]")
}

// tip returns a number above every record of the shard; no later record is
// below it.
func (sh *shard) tip() uint64 {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.tipLocked()
}

func (sh *shard) tipLocked() uint64 {
	if sh.closed != 0 {
		return sh.closed
	}
	return sh.stream.clock.upcoming()
}

// highest is the highest number that a position may have: it may be that of no
// record, and from before a restart.
func (sh *shard) highest(nowMS int64) uint64 {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed != 0 {
		return sh.closed
	}
	// A client may hold a number that was given before a restart that lost the
	// clock's tip: it is below what the time allows.
	return max(sh.tipLocked(), uint64(nowMS)<<sequenceShift) - 1
}
