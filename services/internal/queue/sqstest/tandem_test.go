package sqstest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	emulator "tandem/emulator/sqs"
	"tandem/emulator/wire"
	"tandem/services/internal/queue/sqstest"
)

// The emulator is held against AWS's documentation by emulator/conformance. Here the fake
// is held against the emulator: by the same rules, and by sequences of operations.

// inProcess is an HTTP client whose server is a function, so that the emulator and the
// SDK are in the test's bubble.
type inProcess struct{ wire.Service }

func (p inProcess) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.Serve(w, r, r.Header.Get("X-Amz-Target"), slog.New(slog.DiscardHandler))
	return w.Result(), nil
}

func emulatorBackend(t require.TestingT) backend {
	service, err := emulator.Open(emulator.Options{}) // nothing is reordered or repeated
	require.NoError(t, err)
	const address = "http://sqs.test"
	c := sqs.New(sqs.Options{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), BaseEndpoint: aws.String(address), Retryer: aws.NopRetryer{},
		HTTPClient: inProcess{wire.Service{Prefix: "AmazonSQS", ContentType: "application/x-amz-json-1.0", Ops: service.Ops(func(context.Context) string { return address })}},
	})

	return backend{c, t, func(name string, s sqstest.Settings) string {
		attributes := map[string]string{}
		set := func(name string, d time.Duration) {
			if d > 0 {
				attributes[name] = fmt.Sprint(int(d / time.Second))
			}
		}
		set("VisibilityTimeout", s.Visibility)
		set("DelaySeconds", s.Delay)
		set("ReceiveMessageWaitTimeSeconds", s.Wait)
		set("MessageRetentionPeriod", s.Retention)
		if s.MaximumSize > 0 {
			attributes["MaximumMessageSize"] = fmt.Sprint(s.MaximumSize)
		}
		if s.DeadLetterQueue != "" {
			attributes["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:%s","maxReceiveCount":%d}`, s.DeadLetterQueue, s.MaxReceives)
		}
		if strings.HasSuffix(name, ".fifo") {
			attributes["FifoQueue"], attributes["ContentBasedDeduplication"] = "true", fmt.Sprint(s.ContentDeduplication)
		}
		out, err := c.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		require.NoError(t, err)
		return *out.QueueUrl
	}}
}

func TestTheEmulatorKeepsTheSameRules(t *testing.T) {
	for name, rule := range rules() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { rule(emulatorBackend(t)) })
		})
	}
}

// pair is the fake and the emulator with the same queues, and what each has answered.
type pair struct {
	queues   [2]on // the fake's and the emulator's
	dead     [2]on
	received [2][]types.Message
}

// same wants one answer from both.
func (p *pair) same(t *rapid.T, what string, ask func(q on, i int) string) {
	fake, emulated := ask(p.queues[0], 0), ask(p.queues[1], 1)
	require.Equal(t, emulated, fake, "%s: the emulator's answer, and the fake's", what)
}

// code is what became of a call.
func code(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return err.Error()
}

// undated hides a test's deadline from rapid, which is not to be had in a bubble.
type undated struct{ rapid.TB }

// Whatever is sent, received, deleted, hidden and waited for, the fake answers as the
// emulator does.
func TestTheFakeAnswersAsTheEmulator(t *testing.T) {
	require.NoError(t, flag.Set("rapid.checks", "15")) // each step is some calls of the SDK, which take their time
	for _, name := range []string{"q", "q.fifo"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rapid.Check(undated{t}, func(t *rapid.T) { compare(t, name) })
			})
		})
	}
}

func compare(t *rapid.T, name string) {
	p, fifo := &pair{}, strings.HasSuffix(name, ".fifo")
	deadName := "dead" + strings.TrimPrefix(name, "q")
	set := sqstest.Settings{DeadLetterQueue: deadName, MaxReceives: rapid.IntRange(1, 3).Draw(t, "receives"), Delay: time.Duration(rapid.IntRange(0, 2).Draw(t, "delay")) * 10 * time.Second}
	for i, b := range []backend{fakeBackend(t), emulatorBackend(t)} {
		p.dead[i] = b.queue(deadName, sqstest.Settings{})
		p.queues[i] = b.queue(name, set)
	}

	handle := func(t *rapid.T) int { return rapid.IntRange(0, max(len(p.received[0])-1, 0)).Draw(t, "handle") }
	t.Repeat(map[string]func(*rapid.T){
		"": func(t *rapid.T) {
			p.same(t, "counts", func(q on, i int) string { return q.counts() + " " + p.dead[i].counts() })
		},
		"send": func(t *rapid.T) {
			body, group := rapid.StringMatching(`[a-c]`).Draw(t, "body"), rapid.StringMatching(`[gh]`).Draw(t, "group")
			delay := rapid.SampledFrom([]int32{0, 0, 5, 15}).Draw(t, "delay")
			p.same(t, "send", func(q on, _ int) string {
				in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body, DelaySeconds: delay}
				if fifo {
					in.DelaySeconds = 0
					to(group)(in)
				}
				_, err := q.SendMessage(context.Background(), in)
				return code(err)
			})
		},
		"receive": func(t *rapid.T) {
			visibility := rapid.IntRange(0, 3).Draw(t, "visibility") * 10
			p.same(t, "receive", func(q on, i int) string {
				// One at a time, in several tries: where a message becomes a dead letter the
				// emulator may return fewer than there are, as SQS may.
				var got []types.Message
				for try := 0; try < 20 && len(got) == 0; try++ {
					got = q.receive(1, 0, visibility)
				}
				p.received[i] = append(p.received[i], got...)
				return seen(got)
			})
		},
		"receive dead": func(t *rapid.T) {
			p.same(t, "receive dead", func(_ on, i int) string { return seen(p.dead[i].receive(10, 0, 10)) })
		},
		"delete": func(t *rapid.T) {
			n := handle(t)
			p.same(t, "delete", func(q on, i int) string {
				if n >= len(p.received[i]) {
					return "none"
				}
				return code(q.delete(p.received[i][n]))
			})
		},
		"hide": func(t *rapid.T) {
			n, d := handle(t), rapid.SampledFrom([]time.Duration{0, 10 * time.Second, time.Minute, 12*time.Hour - 20*time.Second, 12 * time.Hour}).Draw(t, "for")
			p.same(t, "hide", func(q on, i int) string {
				if n >= len(p.received[i]) {
					return "none"
				}
				return code(q.hide(p.received[i][n], d))
			})
		},
		"wait": func(t *rapid.T) {
			time.Sleep(rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, time.Minute, 5 * time.Minute}).Draw(t, "for"))
		},
	})
}

// seen is what a receiver can see of messages, but for their ids.
func seen(messages []types.Message) string {
	var out []string
	for _, m := range messages {
		a := m.Attributes
		out = append(out, fmt.Sprint(*m.Body, a["ApproximateReceiveCount"], a["SentTimestamp"], a["ApproximateFirstReceiveTimestamp"], a["MessageGroupId"], a["DeadLetterQueueSourceArn"]))
	}
	return strings.Join(out, "; ")
}
