package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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
	r := shardreader.New(shardreader.Options{
		Client: c.streams, Stream: event.Stream, PollEvery: 500 * time.Millisecond, CatchUpBytes: auditBytes, Empty: true, Log: c.log,
	})
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

// peeked is one message of GET /_aws/sqs/messages.
type peeked struct {
	MessageID string `json:"MessageId"`
	Body      string `json:"Body"`
	// The emulator writes attributes as the SDK's answers do, LocalStack as XML
	// made into JSON: one is an object, several are a list.
	MessageAttributes map[string]attributeValue `json:"MessageAttributes"`
	MessageAttribute  json.RawMessage           `json:"MessageAttribute"`
}

type attributeValue struct {
	StringValue string `json:"StringValue"`
}

func (p peeked) attribute(name string) string {
	if v, ok := p.MessageAttributes[name]; ok {
		return v.StringValue
	}

	type attribute struct {
		Name  string
		Value attributeValue
	}
	var all []attribute
	if json.Unmarshal(p.MessageAttribute, &all) != nil {
		all = make([]attribute, 1)
		if json.Unmarshal(p.MessageAttribute, &all[0]) != nil {
			return ""
		}
	}

	for _, at := range all {
		if at.Name == name {
			return at.Value.StringValue
		}
	}
	return ""
}

const maxPeek = 64 << 20

func peek(ctx context.Context, endpoint, queueURL string) ([]peeked, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	at := strings.TrimSuffix(endpoint, "/") + "/_aws/sqs/messages?" + url.Values{"QueueUrl": {queueURL}, "ShowInvisible": {"true"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()

	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("peek answered %s", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPeek))
	if err != nil {
		return nil, err
	}
	return decodePeek(b)
}

// decodePeek reads null, one object, or a list.
func decodePeek(b []byte) ([]peeked, error) {
	var answer struct {
		ReceiveMessageResponse struct {
			ReceiveMessageResult *struct{ Message json.RawMessage }
		}
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("peek: %w", err)
	}
	result := answer.ReceiveMessageResponse.ReceiveMessageResult
	if result == nil || len(result.Message) == 0 || string(result.Message) == "null" {
		return nil, nil
	}

	var list []peeked
	if json.Unmarshal(result.Message, &list) == nil {
		return list, nil
	}
	var one peeked
	if err := json.Unmarshal(result.Message, &one); err != nil {
		return nil, fmt.Errorf("peek: %w", err)
	}
	return []peeked{one}, nil
}
