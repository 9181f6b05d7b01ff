package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardreader"
)

// outside is what an audit looks at beside the database.
type outside interface {
	// Depth counts a queue's messages: visible, in flight and delayed.
	Depth(ctx context.Context, queue string) (int64, error)
	// Dead looks at a dead-letter queue without receiving from it.
	Dead(ctx context.Context, queue string) (deadLetters, error)
	// Stream calls fn with every user record from the oldest to what had arrived
	// at until, a shard's in order, and perhaps with some more.
	Stream(ctx context.Context, until time.Time, fn func(shardreader.Record)) error
}

type deadLetters struct {
	count    int64
	messages []peeked // none on AWS, where a look is a receive
}

// stalledAfter is how long none of the shards that are left may answer before the audit
// gives up: a reader waits for ever for a stream that was deleted while it was read.
const stalledAfter = time.Minute

var errStalled = fmt.Errorf("no shard of %s that is left to read has answered for %s: is the stream still there?", event.Stream, stalledAfter)

// auditBytes is how fast the audit reads a shard: it leaves readers at the tip
// their share of the shard's 2 MB/s.
const auditBytes = 1 << 20

// cloud is the real outside: AWS, or what stands in for it.
type cloud struct {
	endpoint string // empty: AWS
	queues   *sqs.Client
	streams  shardreader.Client
	log      *slog.Logger
}

func newCloud(ctx context.Context, cfg awsclient.Config, log *slog.Logger) (*cloud, error) {
	awsCfg, err := awsclient.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &cloud{endpoint: cfg.Endpoint, queues: sqs.NewFromConfig(awsCfg), streams: kinesis.NewFromConfig(awsCfg), log: log}, nil
}

// Depth implements outside.
func (c *cloud) Depth(ctx context.Context, queue string) (int64, error) {
	u, err := c.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return 0, fmt.Errorf("queue %s: %w", queue, err)
	}

	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := c.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: u.QueueUrl, AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("queue %s: %w", queue, err)
	}

	var sum int64
	for _, name := range names {
		n, err := strconv.ParseInt(out.Attributes[string(name)], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("queue %s: %s: %w", queue, name, err)
		}
		sum += n
	}
	return sum, nil
}

// Dead implements outside.
func (c *cloud) Dead(ctx context.Context, queue string) (deadLetters, error) {
	n, err := c.Depth(ctx, queue)
	if err != nil || n == 0 || c.endpoint == "" {
		return deadLetters{count: n}, err
	}

	// Elsewhere than on AWS messages can be looked at without a receive, which would
	// hide them for a while and raise their receive counts.
	u, err := c.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return deadLetters{}, fmt.Errorf("queue %s: %w", queue, err)
	}
	messages, err := peek(ctx, c.endpoint, aws.ToString(u.QueueUrl))
	if err != nil {
		return deadLetters{}, fmt.Errorf("queue %s: %w", queue, err)
	}
	return deadLetters{count: n, messages: messages}, nil
}

// errEnd ends the reading of a shard whose records were all handed over.
var errEnd = errors.New("audit: the end of what is looked at")

// Stream implements outside.
func (c *cloud) Stream(ctx context.Context, until time.Time, fn func(shardreader.Record)) error {
	o := shardreader.Options{
		Client: c.streams, Stream: event.Stream, PollEvery: 500 * time.Millisecond, CatchUpBytes: auditBytes, Empty: true, Log: c.log,
	}
	r, err := shardreader.New(o)
	if err != nil {
		return err
	}
	// Another stream of the same name is noticed from here on.
	now, err := r.Describe(ctx)
	if err != nil {
		return err
	}
	o.Created = now.Created
	if r, err = shardreader.New(o); err != nil {
		return err
	}
	// Once is enough: in a shard that opens later nothing had arrived at until.
	shards, err := r.Shards(ctx)
	if err != nil {
		return err
	}

	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	stalled := time.AfterFunc(stalledAfter, func() { end(errStalled) })
	defer stalled.Stop()

	var mu sync.Mutex
	err = shardreader.Each(ctx, shards, func(ctx context.Context, shard string) error {
		err := r.Shard(ctx, shard, shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			stalled.Reset(stalledAfter)

			// The tip alone would not do: a shard may be written to as fast as it is read here.
			passed := b.Behind == 0 && !b.AsOf.Before(until)
			for _, rec := range b.Records {
				fn(rec)
				passed = passed || rec.Arrived.After(until.Add(clockMargin))
			}
			if passed {
				return errEnd
			}
			return nil
		})
		// A shard that is gone was closed, and the stream has nothing of it any more.
		if errors.Is(err, errEnd) || errors.Is(err, shardreader.ErrShardGone) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the stream: %w", err)
	}
	return nil
}
