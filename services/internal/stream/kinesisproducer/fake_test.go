package kinesisproducer_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/stream/kpl"
)

// fakeStream stores what it is given, and fails as Kinesis may: single records,
// whole calls, and answers that are lost after the records were stored.
type fakeStream struct {
	mu       sync.Mutex
	rng      *rand.Rand
	partial  float64 // share of records that fail
	lost     float64 // share of calls whose answer is lost
	down     bool
	answered func()                // called before each answer
	refuses  func(key string) bool // records that are throttled
	fails    error                 // of every call; nil: none
	poison   string                // data that is refused for good: with its whole call,
	// or, if poisonNamed, its record alone.
	poisonNamed bool
	refusals    int
	late        time.Duration // the first call is handled so much later, unheard
	latency     time.Duration // of each call
	shardOf     func(key string) string
	stored      map[string][][]byte // by key, as a reader sees them
	traced      map[string]string   // what is traced -> its trace
	calls       [][]string          // the partition keys of each call
	aggregates  int
	records     int
}

func newFakeStream(seed uint64) *fakeStream {
	return &fakeStream{rng: rand.New(rand.NewPCG(seed, 1)), stored: map[string][][]byte{}, traced: map[string]string{}}
}

func (f *fakeStream) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	if late := f.takeLate(); late > 0 {
		time.AfterFunc(late, func() { _, _ = f.handle(context.Background(), in) })
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(f.latency)
	if f.answered != nil {
		defer f.answered()
	}
	return f.handle(ctx, in)
}

func (f *fakeStream) takeLate() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	late := f.late
	f.late = 0
	return late
}

func (f *fakeStream) handle(ctx context.Context, in *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down || ctx.Err() != nil {
		return nil, errors.New("connection refused")
	}
	if f.fails != nil {
		return nil, f.fails
	}
	if !f.poisonNamed && slices.ContainsFunc(in.Records, f.poisoned) {
		f.refusals++
		return nil, &types.InvalidArgumentException{Message: aws.String("poison")}
	}

	var keys []string
	for _, r := range in.Records {
		keys = append(keys, *r.PartitionKey)
	}
	f.calls = append(f.calls, keys)

	out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(0)} // not to be trusted
	// Kinesis promises no order within a call: store it in another one.
	for _, i := range f.rng.Perm(len(in.Records)) {
		r := in.Records[i]
		if f.poisoned(r) || f.rng.Float64() < f.partial || f.refuses != nil && f.refuses(*r.PartitionKey) {
			continue
		}

		users, err := kpl.Deaggregate(r.Data, *r.PartitionKey)
		if err != nil {
			return nil, err
		}
		f.aggregates++
		for _, u := range users {
			f.records++
			f.stored[u.Key] = append(f.stored[u.Key], u.Data)
			if u.Trace != nil {
				f.traced[string(u.Data)] = string(u.Trace)
			}
		}
		in.Records[i].PartitionKey = nil // stored
	}

	for i, r := range in.Records {
		if r.PartitionKey == nil {
			out.Records = append(out.Records, types.PutRecordsResultEntry{SequenceNumber: aws.String("1"), ShardId: aws.String(f.shard(keys[i]))})
		} else if f.poisoned(r) {
			f.refusals++
			out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("ValidationException"), ErrorMessage: aws.String("poison")})
		} else {
			out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("ProvisionedThroughputExceededException")})
		}
	}

	if f.rng.Float64() < f.lost {
		return nil, errors.New("the answer was lost")
	}
	return out, nil
}

// poisoned reports whether the stream never takes a record.
func (f *fakeStream) poisoned(r types.PutRecordsRequestEntry) bool {
	return f.poison != "" && bytes.Contains(r.Data, []byte(f.poison))
}

func (f *fakeStream) shard(key string) string {
	if f.shardOf == nil {
		return "s"
	}
	return f.shardOf(key)
}
