package kpl

import (
	"crypto/md5" //nolint:gosec // the format's check sum
	"errors"
	"fmt"
)

// MaxRecord is the largest Kinesis record that Deaggregate takes: Kinesis's
// own upper limit.
const MaxRecord = 10 << 20

// MaxEntries is how many user records, and how many keys, an aggregate may have.
// The KPL writes at most 1 MiB, where a user record with any data takes 7 bytes or more:
// what it writes fits. It bounds what Deaggregate allocates to 13 MiB and the keys,
// whatever the bytes are.
const MaxEntries = 150_000

// ErrCorrupt is wrapped by every error of Deaggregate: the record cannot be
// read, now or later.
var ErrCorrupt = errors.New("kpl: corrupt aggregate")

// UserRecord is one record as a producer wrote it.
type UserRecord struct {
	Key     string // partition key
	HashKey string // explicit hash key; empty where the producer set none
	Sub     int    // place in the aggregate, from 0: the sub-sequence
	Data    []byte
	Trace   []byte // the value of its tag TraceTag; nil where there is none
}

// Deaggregate returns the user records of one Kinesis record in the order in
// which they were added. For a record that is not an aggregate it returns one
// user record with partitionKey and the record's own data. The user records share
// data's memory. It is safe on any bytes; its errors wrap ErrCorrupt.
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
	users, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
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
