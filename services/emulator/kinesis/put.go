package kinesis

import (
	"context"
	"fmt"
	"time"

	"tandem/services/emulator/wire"
)

const (
	maxRecord     = 1 << 20  // key and data
	maxPutRecords = 500      // records a call
	maxPutBytes   = 10 << 20 // a call
	maxKey        = 256
	throttled     = "ProvisionedThroughputExceededException"
)

type putEntry struct {
	Data            []byte
	PartitionKey    string
	ExplicitHashKey string
}

type putIn struct {
	target
	putEntry
}

type putOut struct {
	ShardID        string `json:"ShardId,omitempty"`
	SequenceNumber string `json:",omitempty"`
	ErrorCode      string `json:",omitempty"`
	ErrorMessage   string `json:",omitempty"`
}

func (s *Service) putRecord(_ context.Context, in putIn) (putOut, error) {
	if err := checkEntry(in.putEntry); err != nil {
		return putOut{}, err
	}
	out, err := s.put(in.target, []putEntry{in.putEntry})
	if err != nil {
		return putOut{}, err
	}
	if out[0].ErrorCode != "" {
		return putOut{}, wire.Bad(out[0].ErrorCode, "%s", out[0].ErrorMessage)
	}
	return out[0], nil
}

type putManyIn struct {
	target
	Records []putEntry
}

type putManyOut struct {
	FailedRecordCount int
	Records           []putOut
	EncryptionType    string
}

// putRecords stores what each shard still takes this second; the rest fails,
// each record by itself, as AWS does it.
func (s *Service) putRecords(_ context.Context, in putManyIn) (out putManyOut, err error) {
	if len(in.Records) < 1 || len(in.Records) > maxPutRecords {
		return out, wire.Bad("ValidationException", "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length between 1 and %d", maxPutRecords)
	}
	size := 0
	for _, e := range in.Records {
		if err := checkEntry(e); err != nil {
			return out, err
		}
		size += len(e.Data) + len(e.PartitionKey)
	}
	if size > maxPutBytes {
		return out, wire.Bad("InvalidArgumentException", "Records size exceeds 10 MB limit")
	}
	out.EncryptionType = "NONE"
	out.Records, err = s.put(in.target, in.Records)
	for _, r := range out.Records {
		if r.ErrorCode != "" {
			out.FailedRecordCount++
		}
	}
	return out, err
}

func checkEntry(e putEntry) error {
	switch {
	case e.PartitionKey == "" || len(e.PartitionKey) > maxKey:
		return wire.Bad("ValidationException", "1 validation error detected: Value at 'partitionKey' failed to satisfy constraint: Member must have length between 1 and %d", maxKey)
	case len(e.Data)+len(e.PartitionKey) > maxRecord:
		return wire.Bad("ValidationException", "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than or equal to %d", maxRecord)
	}
	return nil
}

func (s *Service) put(t target, entries []putEntry) ([]putOut, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(t)
	if err != nil {
		return nil, err
	}
	at := time.Now()
	// Arrival never goes back, though the clock may: AT_TIMESTAMP rests on it.
	st.arrived = max(st.arrived, at.UnixMilli())
	out := make([]putOut, len(entries))
	byShard := map[*shard][]record{}
	for i, e := range entries {
		sh, err := st.route(e.PartitionKey, e.ExplicitHashKey)
		if err != nil {
			return nil, err
		}
		if s.o.Limits && !sh.admits(at, len(e.Data)+len(e.PartitionKey)) {
			out[i] = putOut{ErrorCode: throttled, ErrorMessage: fmt.Sprintf("Rate exceeded for shard %s in stream %s under account %s.", sh.ID, st.Name, account)}
			continue
		}
		byShard[sh] = append(byShard[sh], record{seq: st.next, arrived: st.arrived, key: e.PartitionKey, data: e.Data})
		out[i] = putOut{ShardID: sh.ID, SequenceNumber: sequenceText(st.next)}
		st.next++
	}
	for sh, records := range byShard {
		if err := sh.log.append(records, st.arrived); err != nil {
			return nil, err // what another shard took is there without an answer: a retry repeats it
		}
		for _, r := range records {
			sh.putRecords++
			sh.putBytes += int64(len(r.data) + len(r.key))
		}
	}
	if err := s.prune(at.UnixMilli()); err != nil {
		s.o.Log.Warn("old records were not dropped", "err", err)
	}
	return out, nil
}

// admits says whether the shard takes one more record of this size now.
func (sh *shard) admits(at time.Time, size int) bool {
	if sh.records.TokensAt(at) < 1 || sh.bytes.TokensAt(at) < float64(size) {
		return false
	}
	return sh.records.AllowN(at, 1) && sh.bytes.AllowN(at, size)
}
