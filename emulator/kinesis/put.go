package kinesis

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"tandem/emulator/journal"
	"tandem/emulator/wire"
)

type putEntry struct {
	Data            []byte
	PartitionKey    string
	ExplicitHashKey string
}

// putResult is what became of one record: a shard and a sequence, or a failure.
type putResult struct {
	shard   string
	seq     uint64
	failure *wire.Error
}

type putIn struct {
	target
	putEntry
}

type putOut struct {
	ShardID        string `json:"ShardId"`
	SequenceNumber string
	EncryptionType string
}

func (s *Service) putRecord(_ context.Context, in putIn) (putOut, error) {
	out, encryption, err := s.put(in.target, []putEntry{in.putEntry}, "")
	if err != nil {
		return putOut{}, err
	}
	if out[0].failure != nil {
		return putOut{}, out[0].failure
	}
	return putOut{out[0].shard, sequenceText(out[0].seq), encryption}, nil
}

type putManyIn struct {
	target
	Records []putEntry
}

// putRecords stores what each shard still takes this second; the rest fails,
// each record by itself, as AWS does it.
func (s *Service) putRecords(_ context.Context, in putManyIn) (wire.Raw, error) {
	if len(in.Records) < 1 || len(in.Records) > maxPutRecords {
		return wire.Raw{}, invalid("records", fmt.Sprintf("have length between 1 and %d", maxPutRecords))
	}

	size := 0
	for _, e := range in.Records {
		size += len(e.Data) + len(e.PartitionKey)
	}
	if size > maxPutBytes {
		return wire.Raw{}, wire.Bad("InvalidArgumentException", "Records size exceeds 10 MB limit")
	}

	out, encryption, err := s.put(in.target, in.Records, "records.")
	if err != nil {
		return wire.Raw{}, err
	}
	return s.raw(func(b []byte) []byte { return appendPutResults(b, out, encryption) }), nil
}

// appendPutResults writes PutRecords' answer.
func appendPutResults(b []byte, all []putResult, encryption string) []byte {
	failed := 0
	b = append(b, `{"Records":[`...)
	for i, p := range all {
		if i > 0 {
			b = append(b, ',')
		}
		if p.failure != nil {
			failed++
			b = append(append(b, `{"ErrorCode":`...), strconv.Quote(p.failure.Code)...) // ASCII without escapes
			b = append(appendText(append(b, `,"ErrorMessage":`...), []byte(p.failure.Message)), '}')
			continue
		}

		b = append(append(append(b, `{"ShardId":"`...), p.shard...), `","SequenceNumber":"`...)
		b = append(appendSequence(b, p.seq), `"}`...)
	}

	b = strconv.AppendInt(append(b, `],"FailedRecordCount":`...), int64(failed), 10)
	return append(append(append(b, `,"EncryptionType":"`...), encryption...), `"}`...)
}

// check returns the entry's hash key, or why the entry is refused.
func (e putEntry) check(path string, maxRecordKiB int32) (hashKey, error) {
	switch n := utf8.RuneCountInString(e.PartitionKey); {
	case n < 1 || n > maxKey:
		return hashKey{}, invalid(path+"partitionKey", fmt.Sprintf("have length between 1 and %d", maxKey))
	case len(e.Data)+len(e.PartitionKey) > int(maxRecordKiB)<<10:
		return hashKey{}, invalid(path+"data", fmt.Sprintf("have length less than or equal to %d", maxRecordKiB<<10))
	}

	if e.ExplicitHashKey == "" {
		return hashOf(e.PartitionKey), nil
	}

	h, ok := parseHash(e.ExplicitHashKey)
	if !ok {
		return h, wire.Bad("InvalidArgumentException", "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was %s", e.ExplicitHashKey)
	}
	return h, nil
}

// put stores entries, shard by shard. The order in which a call's records reach
// one shard is the call's.
func (s *Service) put(t target, entries []putEntry, path string) (out []putResult, encryption string, err error) {
	st, done, err := s.acquire(t)
	if err != nil {
		return nil, "", err
	}
	now := s.o.Now()
	defer s.prune(now) // runs after done: pruning may take the stream's lock alone
	defer done()

	// All entries are checked before any is stored: a bad one refuses the whole
	// call.
	groups := make([][]int, len(st.open))
	for i, e := range entries {
		h, err := e.check(path, st.info.MaxRecordKiB)
		if err != nil {
			return nil, "", err
		}
		to := st.route(h)
		groups[to] = append(groups[to], i)
	}

	// From here on each shard's records succeed or fail apart from the others'.
	out = make([]putResult, len(entries))
	for i, group := range groups {
		if len(group) > 0 {
			s.putShard(st, st.open[i], entries, group, now, out)
		}
	}

	return out, st.info.encryption(), nil
}

// putShard stores the entries of one shard with one write.
func (s *Service) putShard(st *stream, sh *shard, entries []putEntry, group []int, now time.Time, out []putResult) {
	sh.mu.Lock()
	defer sh.mu.Unlock()

	var c counts
	records, kept := make([]record, 0, len(group)), group[:0]
	for _, i := range group {
		r := record{key: []byte(entries[i].PartitionKey), data: entries[i].Data}
		// Each record is charged by itself: a call that is too much for the
		// shard fails in part.
		if s.o.Limits && !sh.limits.mayWrite(now, r.size()) {
			out[i].failure = wire.Bad(throttled, "Rate exceeded for shard %s in stream %s under account %s.", sh.id, st.info.Name, account)
			c.writeThrottles++
			continue
		}
		records, kept = append(records, r), append(kept, i)
		c.inRecords, c.inBytes = c.inRecords+1, c.inBytes+int64(r.size())
	}

	defer func() { sh.meter.add(now, c) }()
	if len(records) == 0 {
		return
	}

	// Taken while the shard is locked: sequence numbers rise in the order of
	// the writes.
	first, arrived := st.clock.take(len(records), now.UnixMilli())
	for i := range records {
		records[i].seq, records[i].arrived = first+uint64(i), arrived
	}

	// Written before the answer names a sequence number, which acknowledges the
	// record.
	if err := sh.log.append(records, arrived); err != nil {
		s.o.Log.Error("records were not stored", "stream", st.info.Name, "shard", sh.id, "err", err)
		for _, i := range kept {
			out[i].failure = &wire.Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "The emulator could not store the record: " + journal.Cause(err)}
		}
		c.inRecords, c.inBytes = 0, 0
		return
	}

	for n, i := range kept {
		out[i].shard, out[i].seq = sh.id, records[n].seq
	}

	sh.wake()
}
