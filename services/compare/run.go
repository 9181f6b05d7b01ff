package compare

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

const name = "compare" // of the service and its reader

// Config is what compare needs.
type Config struct {
	AWS     awsclient.Config
	Auth    *auth.Signer
	Profile profile.Profile
}

// Run serves, and runs a session while somebody looks, until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}

	// Four teams poll each shard, which answers five calls a second.
	s := newService(newCloud(awsCfg), 2*cfg.Profile.PollEvery, env.Log)
	s.endpoint, s.region = cfg.AWS.Endpoint, awsCfg.Region
	env.Metrics.MustRegister(s.sessions, s.points)
	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "sessions", Run: s.keep},
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: name, Env: env, Auth: cfg.Auth, Routes: s.routes(), Status: func() any { return s.detail() },
			})
		}})
}

// cloud is what the sides travel on.
type cloud struct {
	sqs     *sqs.Client
	sns     *sns.Client
	kinesis *kinesis.Client

	mu   sync.Mutex
	urls map[string]string // of queues, by name
}

func newCloud(cfg aws.Config) *cloud {
	return &cloud{sqs: sqs.NewFromConfig(cfg), sns: sns.NewFromConfig(cfg), kinesis: kinesis.NewFromConfig(cfg), urls: map[string]string{}}
}

func (c *cloud) url(ctx context.Context, queue string) (string, error) {
	c.mu.Lock()
	url, ok := c.urls[queue]
	c.mu.Unlock()
	if ok {
		return url, nil
	}

	out, err := c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.urls[queue] = *out.QueueUrl
	return c.urls[queue], nil
}

var errRefused = errors.New("compare: some were refused")

// send sends the bodies with these indexes to a queue, and returns those that were
// not taken.
func (c *cloud) send(ctx context.Context, queue string, bodies [][]byte, which []int) (left []int, err error) {
	url, err := c.url(ctx, queue)
	if err != nil {
		return which, err
	}

	for len(which) > 0 {
		some := which[:min(10, len(which))] // SQS takes ten in a call
		in := &sqs.SendMessageBatchInput{QueueUrl: &url}
		for _, i := range some {
			in.Entries = append(in.Entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(string(bodies[i]))})
		}

		out, err := c.sqs.SendMessageBatch(ctx, in)
		if err != nil {
			return append(left, which...), err
		}
		for _, f := range out.Failed {
			i, _ := strconv.Atoi(aws.ToString(f.Id)) // it is one of ours
			left = append(left, i)
		}
		which = which[len(some):]
	}
	return left, refused(left)
}

func refused(left []int) error {
	if len(left) > 0 {
		return errRefused
	}
	return nil
}

// put puts the bodies with these indexes on a stream, and returns those that were
// not taken.
func (c *cloud) put(ctx context.Context, stream string, keys []string, bodies [][]byte, which []int) (left []int, err error) {
	in := &kinesis.PutRecordsInput{StreamName: &stream}
	for _, i := range which {
		in.Records = append(in.Records, kinesistypes.PutRecordsRequestEntry{PartitionKey: &keys[i], Data: bodies[i]})
	}

	out, err := c.kinesis.PutRecords(ctx, in)
	if err != nil {
		return which, err
	}
	for k, r := range out.Records {
		if r.ErrorCode != nil { // LocalStack's count of failures is wrong
			left = append(left, which[k])
		}
	}
	return left, refused(left)
}

// publish publishes the bodies with these indexes to the topic, and returns those
// that were not taken.
func (c *cloud) publish(ctx context.Context, bodies [][]byte, which []int) (left []int, err error) {
	topic, err := c.topic(ctx)
	if err != nil {
		return which, err
	}

	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(10)
	for _, i := range which {
		g.Go(func() error {
			_, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String(string(bodies[i]))})
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				left = append(left, i)
			}
			return err
		})
	}
	err = g.Wait() // the others were tried, too
	return left, err
}

// topic returns the topic's ARN. It lies where the queues lie.
func (c *cloud) topic(ctx context.Context) (string, error) {
	arn, err := c.arn(ctx, QueuePoints)
	prefix, _, ok := strings.Cut(arn, ":"+QueuePoints)
	if err != nil || !ok {
		return "", fmt.Errorf("compare: the ARN of the topic is not known: %w", err)
	}
	return strings.Replace(prefix, ":sqs:", ":sns:", 1) + ":" + TopicPoints, nil
}

func (c *cloud) arn(ctx context.Context, queue string) (string, error) {
	a, err := c.attributes(ctx, queue, sqstypes.QueueAttributeNameQueueArn)
	return a[string(sqstypes.QueueAttributeNameQueueArn)], err
}

func (c *cloud) attributes(ctx context.Context, queue string, names ...sqstypes.QueueAttributeName) (map[string]string, error) {
	url, err := c.url(ctx, queue)
	if err != nil {
		return nil, err
	}
	out, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// subscribe lets a queue have what is published from now on, and returns the
// subscription. If there is one already, it is that.
func (c *cloud) subscribe(ctx context.Context, queue string) (string, error) {
	topic, err := c.topic(ctx)
	if err != nil {
		return "", err
	}
	arn, err := c.arn(ctx, queue)
	if err != nil {
		return "", err
	}

	out, err := c.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, ReturnSubscriptionArn: true,
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SubscriptionArn), nil
}

func (c *cloud) unsubscribe(ctx context.Context, subscription string) error {
	_, err := c.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &subscription})
	return err
}

// counts returns how many messages wait in a queue and are in flight, about.
func (c *cloud) counts(ctx context.Context, queue string) (waiting, inFlight int, err error) {
	visible, hidden := sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	a, err := c.attributes(ctx, queue, visible, hidden)
	if err != nil {
		return 0, 0, err
	}

	if waiting, err = strconv.Atoi(a[string(visible)]); err != nil {
		return 0, 0, fmt.Errorf("compare: %s: %w", visible, err)
	}
	if inFlight, err = strconv.Atoi(a[string(hidden)]); err != nil {
		return 0, 0, fmt.Errorf("compare: %s: %w", hidden, err)
	}
	return waiting, inFlight, nil
}
