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

// stalledAfter is how long no shard may answer before the audit gives up: a
// reader waits for ever for a stream that was deleted while it was read.
const stalledAfter = time.Minute

var errStalled = fmt.Errorf("no shard of %s has answered for %s: is the stream still there?", event.Stream, stalledAfter)

// auditBytes is how fast the audit reads a shard: it leaves readers at the tip
// their share of the shard's 2 MB/s.
const auditBytes = 1 << 20

// cloud is the real outside: AWS, or what stands in for it.
type cloud struct {
	endpoint string // empty: AWS
	queues   *sqs.Client
	streams  *kinesis.Client
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

// Stream implements outside.
func (c *cloud) Stream(ctx context.Context, until time.Time, fn func(shardreader.Record)) error {
	r, err := shardreader.New(shardreader.Options{
		Client: c.streams, Stream: event.Stream, PollEvery: 500 * time.Millisecond, CatchUpBytes: auditBytes, Empty: true, Log: c.log,
	})
	if err != nil {
		return err
	}
	shards, err := r.Shards(ctx)
	if err != nil {
		return err
	}
	left := map[string]bool{}
	for _, s := range shards {
		left[s.ID] = true
	}

	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	stalled := time.AfterFunc(stalledAfter, func() { end(errStalled) })
	defer stalled.Stop()

	var mu sync.Mutex
	err = r.All(ctx, shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		stalled.Reset(stalledAfter)
		for _, rec := range b.Records {
			fn(rec)
		}

		// A shard is read to the end when it is closed, or when it was empty at its tip
		// at until or later. After the last one the reading is ended from here.
		if b.Closed || b.Behind == 0 && !b.AsOf.Before(until) {
			if delete(left, b.Shard); len(left) == 0 {
				end(nil)
			}
		}
		return nil
	})

	if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
		return fmt.Errorf("read the stream: %w", cause)
	}
	if err == nil && len(left) > 0 { // All returns nil once ctx has ended, and it was not ended here
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("read the stream: %w", err)
	}
	return nil
}
