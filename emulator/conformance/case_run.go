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

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// caseRun is one case while it runs. It is a testify TestingT that keeps what
// fails, because a failure may be expected.
type caseRun struct {
	clients
	t        *testing.T
	ctx      context.Context
	at       Endpoint
	failures []string
	shared   string // of oneStream
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

// maxWait is how long something that must happen may take, beside the time
// that AWS documents for it.
func (c *caseRun) maxWait() time.Duration {
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

	for end := time.Now().Add(c.maxWait()); !ok(); c.pause(every) {
		require.True(c, time.Now().Before(end), "%s, within %v", what, c.maxWait())
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
