package kpl

import (
	"crypto/md5" //nolint:gosec // the format's check sum
	"errors"
	"fmt"

	"github.com/awslabs/kinesis-aggregation/go/v2/records"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// MaxRecord is the largest Kinesis record that Deaggregate takes: Kinesis's
// own upper limit. What it allocates is bounded by a multiple of it.
const MaxRecord = 10 << 20

// ErrCorrupt is wrapped by every error of Deaggregate: the record cannot be
// read, now or later.
var ErrCorrupt = errors.New("kpl: corrupt aggregate")

// UserRecord is one record as a producer wrote it.
type UserRecord struct {
	Key     string // partition key
	HashKey string // explicit hash key; empty where the producer set none
	Sub     int    // place in the aggregate, from 0: the sub-sequence
	Data    []byte
}

// Deaggregate returns the user records of one Kinesis record in the order in
// which they were added. For a record that is not an aggregate it returns one
// user record with partitionKey and the record's own data. It is safe on any
// bytes; its errors wrap ErrCorrupt.
func Deaggregate(data []byte, partitionKey string) ([]UserRecord, error) {
	// The bytes come from whoever may write to the stream: what is allocated
	// below is bounded by their number.
	if len(data) > MaxRecord {
		return nil, fmt.Errorf("%w: %d bytes, more than the %d that a record may have", ErrCorrupt, len(data), MaxRecord)
	}

	body, ok := aggregateBody(data)
	if !ok {
		return []UserRecord{{Key: partitionKey, Data: data}}, nil
	}

	// The MD5 fits, so this is an aggregate: from here on a fault is a fault of
	// the record, and none of its user records is trusted.
	var agg records.AggregatedRecord
	if err := proto.Unmarshal(body, protoadapt.MessageV2Of(&agg)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}

	users := make([]UserRecord, len(agg.Records))
	for i, r := range agg.Records {
		key, ok := lookUp(agg.PartitionKeyTable, r.PartitionKeyIndex)
		if !ok {
			return nil, fmt.Errorf("%w: user record %d has no partition key at %d", ErrCorrupt, i, r.GetPartitionKeyIndex())
		}
		users[i] = UserRecord{Key: key, Sub: i, Data: r.Data}

		if r.ExplicitHashKeyIndex == nil {
			continue
		}
		if users[i].HashKey, ok = lookUp(agg.ExplicitHashKeyTable, r.ExplicitHashKeyIndex); !ok {
			return nil, fmt.Errorf("%w: user record %d has no hash key at %d", ErrCorrupt, i, r.GetExplicitHashKeyIndex())
		}
	}
	return users, nil
}

// aggregateBody returns the protobuf inside data and reports whether data is an
// aggregate at all.
func aggregateBody(data []byte) ([]byte, bool) {
	if len(data) < overhead || string(data[:len(magic)]) != magic {
		return nil, false
	}

	// Data may start with the magic bytes by chance; only the MD5 decides.
	body, sum := data[len(magic):len(data)-md5.Size], data[len(data)-md5.Size:]
	return body, md5.Sum(body) == [md5.Size]byte(sum) //nolint:gosec // the format's check sum
}

// lookUp checks the index, which AWS's own module does not: it panics there.
func lookUp(table []string, index *uint64) (string, bool) {
	if index == nil || *index >= uint64(len(table)) {
		return "", false
	}
	return table[*index], true
}
