package shardreader

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"golang.org/x/time/rate"
)

// Client is the part of *kinesis.Client that reading needs.
type Client interface {
	DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput, ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error)
	GetRecords(context.Context, *kinesis.GetRecordsInput, ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error)
}

// Handler handles a batch. Its error ends the reading.
type Handler func(ctx context.Context, b Batch) error

// Reader reads the shards of one stream. It is safe for concurrent use.
type Reader struct {
	o Options

	mu     sync.Mutex
	stream Stream
	shards map[string]*ShardState
	listed bool // All has started what it found
	// followed is how many drained shards All knew of when it last started what it
	// found: so many have had their children started.
	followed int

	asking   *asking // the call of DescribeStreamSummary that is not sent yet, if any
	describe *rate.Limiter
	flight   chan struct{} // has an element while a call of describeNow is under way
}

// New returns a Reader; it calls nothing yet. The error names the option that is
// wrong.
func New(o Options) (*Reader, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Reader{
		o: o, stream: Stream{Created: o.Created}, shards: map[string]*ShardState{},
		describe: rate.NewLimiter(rate.Every(describeEvery), describeBurst), flight: make(chan struct{}, 1),
	}, nil
}

// unlessEnded returns err, or nil once ctx has ended: whoever ended it asked for
// the end, and what failed because of it is not news.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped, as asked
	}
	return err
}
