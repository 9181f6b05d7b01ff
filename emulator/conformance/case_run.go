package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"
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

// answer waits until both services answer: LocalStack starts them at their
// first call, and one that doesn't would excuse every difference.
func (c clients) answer(t *testing.T, at Endpoint) {
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

// caseRun is one case while it runs. It is a testify TestingT that keeps what fails,
// because a failure may be expected.
type caseRun struct {
	clients
	t        *testing.T
	ctx      context.Context
	at       Endpoint
	failures []string
}

// Errorf keeps a failure.
func (c *caseRun) Errorf(format string, args ...any) {
	c.failures = append(c.failures, fmt.Sprintf(format, args...))
}

// FailNow ends the case's goroutine; only it may call this.
func (c *caseRun) FailNow() { runtime.Goexit() }

// Helper is for testify.
func (c *caseRun) Helper() {}

// cleanup runs after the case with a context of its own.
func (c *caseRun) cleanup(f func(ctx context.Context)) {
	c.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), 20*time.Second)
		defer cancel()
		f(ctx)
	})
}

// patience is how long something that must happen may take, beside the time
// that AWS documents for it.
func (c *caseRun) patience() time.Duration {
	if c.at.Backend == Emulator {
		return 20 * time.Second
	}
	return time.Minute
}

// eventually polls until ok.
func (c *caseRun) eventually(what string, ok func() bool) {
	every := 20 * time.Millisecond
	if c.at.Backend != Emulator {
		every = 250 * time.Millisecond
	}
	for end := time.Now().Add(c.patience()); !ok(); c.pause(every) {
		require.True(c, time.Now().Before(end), "%s, within %v", what, c.patience())
	}
}

// pause lets d pass: the time is what the endpoint is asked about, or it polls.
func (c *caseRun) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
		require.NoError(c, c.ctx.Err())
	}
}

// refused requires that err is the endpoint's refusal, the caller's fault (4xx),
// with one of the codes.
func (c *caseRun) refused(err error, oneOf ...string) {
	var api smithy.APIError
	require.ErrorAs(c, err, &api, "must be refused with %v", oneOf)
	var answer *awshttp.ResponseError
	require.ErrorAs(c, err, &answer)
	require.Equal(c, 4, answer.HTTPStatusCode()/100, "status %d: %v", answer.HTTPStatusCode(), err)
	require.True(c, slices.Contains(oneOf, codeOf(err)), "%v, want one of %v", err, oneOf)
}

// codeOf is err's code as today's API reference spells it. SQS's errors keep
// the code of its older protocol, which had a prefix, and other words for two.
func codeOf(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	switch code := strings.TrimPrefix(api.ErrorCode(), "AWS.SimpleQueueService."); code {
	case "NonExistentQueue":
		return "QueueDoesNotExist"
	case "QueueAlreadyExists":
		return "QueueNameExists"
	default:
		return code
	}
}

func unique(prefix string) string {
	return prefix + "-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
}

// ptr returns a pointer to v, for inputs.
func ptr[T any](v T) *T { return &v }
