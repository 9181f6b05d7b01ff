package shardreader

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Client is the part of *kinesis.Client that reading needs.
type Client interface {
	DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput, ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error)
	GetRecords(context.Context, *kinesis.GetRecordsInput, ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error)
}

// Options of a Reader. Client and Stream are needed.
type Options struct {
	Client Client
	Stream string // the stream's name

	// FanOut and Consumer, both set, let shards be read by enhanced fan-out.
	// Consumer is asked before each turn: it returns the ARN of the consumer that
	// may be used until held ends. No ARN: poll. A reader that has a consumer for
	// itself always returns context.Background() and that consumer's ARN; readers
	// that share consumers lease them (package shardgroup).
	FanOut   FanOutClient
	Consumer func() (held context.Context, arn string)

	// Created, when set, is the creation time of the stream that positions
	// belong to: another one is ErrStreamChanged. Else the stream found first.
	Created time.Time
	// PollEvery is the time between two calls for a shard at the tip; 0 is 1 s.
	// All polling readers share five calls a second of each shard.
	PollEvery time.Duration
	// CatchUpBytes bounds what is read of one shard in a second; 0 is 2 MB, all that
	// a shard serves to its polling readers together. Reading begins with half of
	// it, takes more while nothing is throttled, and halves it where it is: readers
	// that know nothing of each other come to equal shares.
	CatchUpBytes int
	// Limit bounds the Kinesis records of one call; 0 is 5,000. Reading begins
	// with 500, and takes twice as many while answers come within an eighth of
	// CallTimeout, half as many after one that took more than half of it.
	Limit int32
	// CallTimeout bounds one call, or all calls of one poll; 0 is 10 s.
	CallTimeout time.Duration
	// Empty asks for batches without records too: they carry Behind, and that
	// the tip is known (AsOf).
	Empty bool
	Log   *slog.Logger // nil: silent
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
}

// New returns a Reader; it calls nothing yet.
func New(o Options) *Reader {
	if o.PollEvery == 0 {
		o.PollEvery = time.Second
	}
	if o.CatchUpBytes == 0 {
		o.CatchUpBytes = 2_000_000
	}
	if o.Limit == 0 {
		o.Limit = 5000
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	return &Reader{o: o, stream: Stream{Created: o.Created}, shards: map[string]*ShardState{}}
}

// unlessEnded returns err, or nil once ctx has ended: whoever ended it asked for
// the end, and what failed because of it is not news.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped, as asked
	}
	return err
}
