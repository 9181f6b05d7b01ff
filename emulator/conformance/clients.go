package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"tandem/services/test/testaws"
)

// clients retry what is throttled; once does not.
type clients struct {
	sqs     *sqs.Client
	kinesis *kinesis.Client
	once    *kinesis.Client
	sns     *sns.Client
	sts     *sts.Client
}

func connect(ctx context.Context, at Endpoint) (clients, error) {
	cfg, err := testaws.Config(ctx, at.Endpoint, at.Region)
	if err != nil {
		return clients{}, err
	}

	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = 12, 2*time.Second
			o.RateLimiter = noTokens{}
			// Nothing else: a 500 or a lost connection is what a case must see.
			o.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
		})
	}

	return clients{
		sqs: sqs.NewFromConfig(cfg), kinesis: kinesis.NewFromConfig(cfg), sns: sns.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg),
		once: kinesis.NewFromConfig(cfg, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }),
	}, nil
}

// awaitReady waits until both services answer: LocalStack starts them at their
// first call, and one that doesn't would excuse every difference.
func (c clients) awaitReady(t *testing.T, at Endpoint) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		_, queues := c.sqs.ListQueues(t.Context(), &sqs.ListQueuesInput{})
		_, streams := c.kinesis.ListStreams(t.Context(), &kinesis.ListStreamsInput{})
		err := errors.Join(queues, streams)
		if err == nil {
			return
		}
		require.True(t, time.Now().Before(end), "%s at %q doesn't answer: %v", at.Backend, at.Endpoint, err)

		time.Sleep(time.Second) // between polls
	}
}

// noTokens lets every call retry: the cases share their clients, and one that
// is throttled on purpose must not use up the others' retries.
type noTokens struct{}

func (noTokens) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (noTokens) AddTokens(uint) error { return nil }
