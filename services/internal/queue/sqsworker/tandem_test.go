package sqsworker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/test/testenv"
)

// These run the SDK over HTTP against the emulator.

type queue struct {
	t      *testing.T
	client *sqs.Client
	name   string
	url    *string
}

func open(t *testing.T, client *sqs.Client, name string) queue {
	t.Helper()
	out, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	require.NoError(t, err)
	return queue{t, client, name, out.QueueUrl}
}

func newClient(t *testing.T) *sqs.Client {
	t.Helper()
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	return sqs.NewFromConfig(cfg)
}

// send puts bodies on the queue, in order; on a FIFO queue in the group that a
// body begins with.
func (q queue) send(bodies ...string) {
	q.t.Helper()
	for chunk := range slices.Chunk(bodies, 10) {
		in := &sqs.SendMessageBatchInput{QueueUrl: q.url}
		for i, b := range chunk {
			e := types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(b)}
			if strings.HasSuffix(q.name, ".fifo") {
				e.MessageGroupId, e.MessageDeduplicationId = aws.String(b[:2]), aws.String(b)
			}
			in.Entries = append(in.Entries, e)
		}
		out, err := q.client.SendMessageBatch(q.t.Context(), in)
		require.NoError(q.t, err)
		require.Empty(q.t, out.Failed)
	}
}

// count is how many messages are on the queue, in flight or not.
func (q queue) count() int {
	names := []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}
	out, err := q.client.GetQueueAttributes(q.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: q.url, AttributeNames: names})
	if err != nil {
		return -1
	}
	sum := 0
	for _, n := range names {
		v, err := strconv.Atoi(out.Attributes[string(n)])
		if err != nil {
			return -1
		}
		sum += v
	}
	return sum
}

func run(t *testing.T, o sqsworker.Options) (w *sqsworker.Worker, stop func()) {
	t.Helper()
	w, err := sqsworker.New(o)
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()

	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.NoError(t, <-ended)
		})
	}
	t.Cleanup(stop)
	return w, stop
}

const patience, look = time.Minute, 20 * time.Millisecond

func TestStandardQueueOverHTTP(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	q, dead := open(t, client, "ride-requests"), open(t, client, "ride-requests-dlq")
	var bodies []string
	for n := range 200 {
		bodies = append(bodies, fmt.Sprintf("m%03d", n))
	}
	q.send(bodies...)

	var mu sync.Mutex
	handled := map[string]int{}
	h := sqsworker.HandlerFunc(func(_ context.Context, m sqsworker.Message) sqsworker.Result {
		body := string(m.Body)
		mu.Lock()
		handled[body]++
		mu.Unlock()
		switch {
		case strings.HasSuffix(body, "7"):
			return sqsworker.DeadLetter(errors.New("ends in seven"))
		case strings.HasSuffix(body, "3") && m.Receives == 1:
			return sqsworker.RetryAfter(time.Second, errors.New("first try"))
		}
		return sqsworker.Done()
	})

	for range 3 { // workers compete for one queue
		w, _ := run(t, sqsworker.Options{Client: client, Queue: q.name, DeadLetterQueue: dead.name, Handler: h})
		require.Eventually(t, func() bool { return w.Ready() == nil }, patience, look)
	}

	require.Eventually(t, func() bool { return q.count() == 0 && dead.count() == 20 }, patience, look)
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, handled, 200)
	for body, n := range handled {
		if strings.HasSuffix(body, "3") {
			require.GreaterOrEqual(t, n, 2, body)
		}
	}
}

func TestFIFOQueueOverHTTP(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	q := open(t, client, "notifications.fifo")
	const groups, each = 8, 12
	for n := range each {
		var bodies []string
		for g := range groups {
			bodies = append(bodies, fmt.Sprintf("g%d-%02d", g, n))
		}
		q.send(bodies...)
	}

	var mu sync.Mutex
	done := map[string][]string{}
	h := sqsworker.HandlerFunc(func(_ context.Context, m sqsworker.Message) sqsworker.Result {
		body := string(m.Body)
		if strings.HasSuffix(body, "5") && m.Receives < 2 {
			return sqsworker.RetryAfter(time.Second, errors.New("first try"))
		}
		mu.Lock()
		defer mu.Unlock()
		done[m.Group] = append(done[m.Group], body)
		return sqsworker.Done()
	})

	for range 2 {
		run(t, sqsworker.Options{Client: client, Queue: q.name, DeadLetterQueue: "notifications-dlq.fifo", Handler: h, BatchSize: 3, Visibility: 5 * time.Second})
	}

	require.Eventually(t, func() bool { return q.count() == 0 }, patience, look)
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, done, groups)
	for g, bodies := range done {
		require.Len(t, bodies, each, g)
		require.True(t, slices.IsSorted(bodies), "%s: %v", g, bodies)
	}
}

func TestHeartbeatOutlivesVisibilityOverHTTP(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	q := open(t, client, "ride-requests")
	q.send("long")

	handled := make(chan struct{})
	h := sqsworker.HandlerFunc(func(ctx context.Context, _ sqsworker.Message) sqsworker.Result {
		defer close(handled)
		select { // more than twice the visibility, which is long enough for a busy machine's heartbeats
		case <-ctx.Done():
			return sqsworker.Release()
		case <-time.After(11 * time.Second):
			return sqsworker.Done()
		}
	})

	w, _ := run(t, sqsworker.Options{Client: client, Queue: q.name, Handler: h, Visibility: 5 * time.Second})
	<-handled
	require.Eventually(t, func() bool { return q.count() == 0 && w.Stats() == (sqsworker.Stats{Received: 1, Done: 1}) }, patience, look)
}

func TestDrainReleasesOverHTTP(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	q := open(t, client, "ride-requests")
	q.send("x")
	began := make(chan struct{})
	_, stop := run(t, sqsworker.Options{Client: client, Queue: q.name, Drain: 10 * time.Millisecond, Handler: sqsworker.HandlerFunc(
		func(ctx context.Context, _ sqsworker.Message) sqsworker.Result {
			close(began)
			<-ctx.Done()
			return sqsworker.RetryAfter(time.Hour, context.Cause(ctx))
		})})
	<-began
	stop()

	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: q.url, WaitTimeSeconds: 5})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1, "it is visible at once")
}

// What a sender wrote beside the body reaches the handler, and then the dead-letter
// queue with its types.
func TestADeadLetterKeepsWhatCameWithItOverHTTP(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	q, dead := open(t, client, "ride-requests"), open(t, client, "ride-requests-dlq")
	own := map[string]types.MessageAttributeValue{
		"traceparent": {DataType: aws.String("String"), StringValue: aws.String("00-1-2-01")},
		"n":           {DataType: aws.String("Number.int"), StringValue: aws.String("7")},
		"raw":         {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
	}
	_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: q.url, MessageBody: aws.String("x"), MessageAttributes: own, MessageGroupId: aws.String("tenant"),
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-2")},
		},
	})
	require.NoError(t, err)

	got := make(chan sqsworker.Message, 10)
	run(t, sqsworker.Options{Client: client, Queue: q.name, DeadLetterQueue: dead.name, Handler: sqsworker.HandlerFunc(
		func(_ context.Context, m sqsworker.Message) sqsworker.Result {
			got <- m
			return sqsworker.DeadLetter(errors.New("not an order"))
		})})
	m := <-got
	require.Equal(t, map[string]string{"traceparent": "00-1-2-01", "n": "7", "raw": "\x00\xff"}, m.Attributes)
	require.Equal(t, "tenant", m.Group, "a standard queue has groups too")
	require.Equal(t, "Root=1-2", m.TraceHeader)

	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: dead.url, WaitTimeSeconds: 20, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1)
	own[sqsworker.ReasonAttribute] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("not an order")}
	require.Equal(t, own, out.Messages[0].MessageAttributes)
	require.Equal(t, "tenant", out.Messages[0].Attributes["MessageGroupId"])
	require.Equal(t, "Root=1-2", out.Messages[0].Attributes["AWSTraceHeader"])
}

// A message as large as SQS takes one has no room for the reason: it is a dead letter
// without one, and not a message that comes for ever.
func TestTheLargestMessageBecomesADeadLetterOverHTTP(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	q, dead := open(t, client, "ride-requests"), open(t, client, "ride-requests-dlq")
	for _, room := range []int{0, 30} {
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: q.url, MessageBody: aws.String(strings.Repeat("x", 1<<20-room))})
		require.NoError(t, err)
	}
	run(t, sqsworker.Options{Client: client, Queue: q.name, DeadLetterQueue: dead.name, Handler: sqsworker.HandlerFunc(
		func(context.Context, sqsworker.Message) sqsworker.Result {
			return sqsworker.DeadLetter(errors.New("not an order"))
		})})

	for reasons := map[int]string{1 << 20: "", 1<<20 - 30: "not an o"}; len(reasons) > 0; {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: dead.url, WaitTimeSeconds: 20, MessageAttributeNames: []string{"All"}})
		require.NoError(t, err)
		require.NotEmpty(t, out.Messages)
		for _, m := range out.Messages {
			require.Equal(t, reasons[len(*m.Body)], aws.ToString(m.MessageAttributes[sqsworker.ReasonAttribute].StringValue))
			delete(reasons, len(*m.Body))
		}
	}
}

// deny is a transport that answers some actions as AWS does where a policy forbids them.
type deny struct {
	next    http.RoundTripper
	actions []string
}

func (d deny) RoundTrip(r *http.Request) (*http.Response, error) {
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !slices.Contains(d.actions, action) {
		return d.next.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusForbidden, Request: r, Body: io.NopCloser(strings.NewReader(
			`{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: u is not authorized to perform: sqs:` + action + `"}`)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Query-Error": {"AccessDenied;Sender"}},
	}, nil
}

// The least policy of doc.go is enough.
func TestLeastPermissionsOverHTTP(t *testing.T) {
	t.Parallel()
	cfg := testenv.Emulator(t)
	full, err := awsclient.New(t.Context(), cfg)
	require.NoError(t, err)
	admin := sqs.NewFromConfig(full)
	q, dead := open(t, admin, "ride-requests"), open(t, admin, "ride-requests-dlq")

	cfg.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		return deny{next, []string{"GetQueueUrl", "GetQueueAttributes"}}
	}
	least, err := awsclient.New(t.Context(), cfg)
	require.NoError(t, err)
	w, _ := run(t, sqsworker.Options{Client: sqs.NewFromConfig(least), Queue: *q.url, DeadLetterQueue: *dead.url, Handler: sqsworker.HandlerFunc(
		func(_ context.Context, m sqsworker.Message) sqsworker.Result {
			if m.Receives == 1 {
				return sqsworker.Release()
			}
			return sqsworker.DeadLetter(errors.New("not an order"))
		})})

	q.send("x")
	require.Eventually(t, func() bool { return q.count() == 0 && dead.count() == 1 }, patience, look)
	require.NoError(t, w.Ready())
}

// another is a transport that sends every call to the emulator that use started last.
type another struct {
	next http.RoundTripper
	host atomic.Pointer[string]
}

func (a *another) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Host = *a.host.Load()
	return a.next.RoundTrip(r)
}

// use starts a new emulator and sends every call to it from now on.
func (a *another) use(t *testing.T) awsclient.Config {
	cfg := testenv.Emulator(t)
	u, err := url.Parse(cfg.Endpoint)
	require.NoError(t, err)
	a.host.Store(&u.Host)
	return cfg
}

// TestChecksOverHTTP shows what a person sees who deploys too late, then wrongly,
// then right, and who has an
// AWS that forgets everything, as LocalStack does when it is restarted.
func TestChecksOverHTTP(t *testing.T) {
	t.Parallel()
	now := &another{}
	cfg := now.use(t)
	cfg.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		now.next = next
		return now
	}
	awsCfg, err := awsclient.New(t.Context(), cfg)
	require.NoError(t, err)
	client := sqs.NewFromConfig(awsCfg)

	create := func(name string, attributes map[string]string) queue {
		out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		require.NoError(t, err)
		return queue{t, client, name, out.QueueUrl}
	}
	redrive := func() map[string]string { // to a queue that it creates
		arn, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: create("late-dlq", nil).url, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
		require.NoError(t, err)
		return map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":10}`, arn.Attributes["QueueArn"])}
	}
	set := func(q queue, attributes map[string]string) {
		_, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: q.url, Attributes: attributes})
		require.NoError(t, err)
	}

	w, _ := run(t, sqsworker.Options{
		Client: client, Queue: "late", DeadLetterQueue: "late-dlq", Tries: 5, VisibilitySetting: "Visibility in messaging.yaml",
		Wait:    time.Second,
		Handler: sqsworker.HandlerFunc(func(context.Context, sqsworker.Message) sqsworker.Result { return sqsworker.Done() }),
	})
	advises := func(text string) {
		t.Helper()
		require.Eventually(t, func() bool {
			var wrong *sqsworker.SetupError
			return errors.As(w.Ready(), &wrong) && strings.Contains(wrong.Advice(), text)
		}, patience, look, text)
	}

	advises("queue late does not exist: deploy it")
	q := create("late", map[string]string{"VisibilityTimeout": "10"})
	q.send("x")

	advises("queue late has a visibility of 10 s, and this worker needs at least 30 s: set Visibility in messaging.yaml to 30")
	set(q, map[string]string{"VisibilityTimeout": "30"})

	advises("queue late has no redrive policy")
	require.Zero(t, w.Stats().Received)
	set(q, redrive())
	require.Eventually(t, func() bool { return w.Ready() == nil && w.Stats().Done == 1 }, patience, look)

	now.use(t)
	advises("queue late does not exist: deploy it")

	q = create("late", redrive())
	q.send("y")
	require.Eventually(t, func() bool { return w.Ready() == nil && w.Stats().Done == 2 }, patience, look)
}
