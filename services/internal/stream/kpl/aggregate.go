package kpl

import (
	"crypto/md5" //nolint:gosec // the format's check sum
	"fmt"

	"github.com/awslabs/kinesis-aggregation/go/v2/records"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

const (
	magic    = "\xf3\x89\x9a\xc2"
	overhead = len(magic) + md5.Size
	tagSize  = 1 // all field numbers of the format are below 16
)

// TraceTag is the name of the tag that carries a trace.
const TraceTag = "traceparent"

// TraceSize is how many bytes a traceparent, of 55 characters, takes in an aggregate at
// most: the tag's 72, and one where the user record's length then takes a byte more.
const TraceSize = 73

// Aggregate gathers user records of one hash key. It is not safe for
// concurrent use.
type Aggregate struct {
	limit int
	size  int
	keys  map[string]uint64 // partition key -> its index in the table
	agg   records.AggregatedRecord
}

// NewAggregate returns an empty aggregate that grows to at most limit bytes, all
// of whose user records carry hashKey.
func NewAggregate(hashKey string, limit int) *Aggregate {
	return &Aggregate{
		limit: limit,
		size:  overhead + fieldSize(len(hashKey)),
		keys:  make(map[string]uint64),
		agg:   records.AggregatedRecord{ExplicitHashKeyTable: []string{hashKey}},
	}
}

// Add appends a user record and reports whether it fitted; an aggregate that
// would grow past its limit is left as it was. It keeps data, which may not
// change until Encode.
func (a *Aggregate) Add(key string, data []byte) bool { return a.AddTraced(key, data, "") }

// AddTraced is Add for a user record that carries the trace in which it was put, as a
// W3C traceparent: in a tag of the format, beside the data. Readers that know no tags,
// as the KCL, skip it. It takes TraceSize bytes at most; an empty trace takes none.
func (a *Aggregate) AddTraced(key string, data []byte, trace string) bool {
	// A key is written once, however many records have it.
	index, known := a.keys[key]
	size := a.size
	if !known {
		index = uint64(len(a.keys))
		size += fieldSize(len(key))
	}

	// The size is computed, not measured: encoding after each record would make
	// packing quadratic.
	size += recordSize(index, len(data), trace)
	if size > a.limit {
		return false
	}

	if !known {
		a.keys[key] = index
		a.agg.PartitionKeyTable = append(a.agg.PartitionKeyTable, key)
	}
	if data == nil {
		data = []byte{} // data is a required field
	}

	// The hash key is named on every user record: a KCL drops those whose own
	// hash key lies outside the shard, and without one it takes the partition key's.
	record := &records.Record{PartitionKeyIndex: &index, ExplicitHashKeyIndex: new(uint64), Data: data}
	if trace != "" {
		name, value := TraceTag, trace // of trace itself no address is taken: it would be on the heap in every call
		record.Tags = []*records.Tag{{Key: &name, Value: &value}}
	}
	a.agg.Records = append(a.agg.Records, record)
	a.size = size
	return true
}

// Len is the number of user records.
func (a *Aggregate) Len() int { return len(a.agg.Records) }

// Encode returns the Kinesis record's data.
func (a *Aggregate) Encode() ([]byte, error) {
	b := append(make([]byte, 0, a.size), magic...)
	b, err := proto.MarshalOptions{}.MarshalAppend(b, protoadapt.MessageV2Of(&a.agg))
	if err != nil {
		return nil, fmt.Errorf("kpl: encode %d user records: %w", a.Len(), err)
	}

	sum := md5.Sum(b[len(magic):]) //nolint:gosec // the format's check sum
	return append(b, sum[:]...), nil
}

// recordSize is the encoded size of a user record with n bytes of data.
func recordSize(keyIndex uint64, n int, trace string) int {
	const hashIndex = tagSize + 1 // always 0: one byte
	size := tagSize + protowire.SizeVarint(keyIndex) + hashIndex + fieldSize(n)
	if trace != "" {
		size += fieldSize(fieldSize(len(TraceTag)) + fieldSize(len(trace)))
	}
	return fieldSize(size)
}

// fieldSize is the encoded size of a field of n bytes.
func fieldSize(n int) int { return tagSize + protowire.SizeBytes(n) }
