package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/services/test/testaws"
	"tandem/services/test/testenv"
)

// broken is an emulator whose faults are on, and clients that try once.
type broken struct {
	endpoint string
	sqs      *sqs.Client
	kinesis  *kinesis.Client
	sns      *sns.Client
}

func breakable(t *testing.T) broken {
	t.Helper()
	endpoint := testenv.Emulator(t, func(c *emulator.Config) { c.Faults, c.Limits, c.Reorder = true, false, 0 })
	cfg, err := testaws.Config(t.Context(), endpoint.Endpoint, "")
	require.NoError(t, err)

	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return broken{endpoint.Endpoint, sqs.NewFromConfig(cfg), kinesis.NewFromConfig(cfg), sns.NewFromConfig(cfg)}
}

// rules replaces the faults.
func (b broken) rules(t *testing.T, rules string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, b.endpoint+"/_aws/faults", strings.NewReader(rules))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(body))
}

// hits returns how often each rule has hit.
func (b broken) hits(t *testing.T) (hits []int) {
	t.Helper()
	resp, err := http.Get(b.endpoint + "/_aws/faults")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var rules []struct{ Hits int }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&rules))

	for _, r := range rules {
		hits = append(hits, r.Hits)
	}
	return hits
}

func (b broken) queue(t *testing.T, name string) *string {
	t.Helper()
	in := &sqs.CreateQueueInput{QueueName: &name}
	if strings.HasSuffix(name, ".fifo") {
		in.Attributes = map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}
	}

	out, err := b.sqs.CreateQueue(t.Context(), in)
	require.NoError(t, err)
	return out.QueueUrl
}

func (b broken) send(t *testing.T, url *string, body string) error {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body}
	if strings.HasSuffix(*url, ".fifo") {
		in.MessageGroupId = aws.String("g")
	}

	_, err := b.sqs.SendMessage(t.Context(), in)
	return err
}

// receive receives what is visible, without waiting, in the order of one answer.
func (b broken) receive(t *testing.T, url *string) (bodies []string) {
	t.Helper()
	out, err := b.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	require.NoError(t, err)
	for _, m := range out.Messages {
		bodies = append(bodies, *m.Body)
	}
	return bodies
}

func code(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	return api.ErrorCode()
}

func TestFaultsErrorDoesNothing(t *testing.T) {
	b := breakable(t)
	url, other := b.queue(t, "one"), b.queue(t, "two")
	b.rules(t, `[{"operation":"SendMessage","kind":"error","code":"InternalFailure","status":500,"resource":"one","count":2},
		{"service":"sns","operation":"Publish","kind":"error","code":"Throttled","message":"slow down"}]`)
	require.Equal(t, "InternalFailure", code(b.send(t, url, "a")))
	require.NoError(t, b.send(t, other, "b"), "another resource")
	require.Equal(t, "InternalFailure", code(b.send(t, url, "c")))
	require.NoError(t, b.send(t, url, "d"), "only so many")
	require.Equal(t, []string{"d"}, b.receive(t, url))

	_, err := b.sns.Publish(t.Context(), &sns.PublishInput{PhoneNumber: aws.String("+15551234567"), Message: aws.String("x")})
	require.Equal(t, "Throttled", code(err), "in the query protocol too")
	require.ErrorContains(t, err, "slow down")
	require.Equal(t, []int{2, 1}, b.hits(t))
}

func TestFaultsLostAnswerDoesItAndResetDoesNot(t *testing.T) {
	b := breakable(t)
	url := b.queue(t, "one")
	b.rules(t, `[{"operation":"SendMessage","kind":"lost_answer","count":1},{"operation":"SendMessage","kind":"reset","count":1}]`)
	err := b.send(t, url, "lost")
	require.Error(t, err)
	require.Empty(t, code(err), "a broken connection, no answer")

	err = b.send(t, url, "reset")
	require.ErrorContains(t, err, "connection reset by peer")
	require.NoError(t, b.send(t, url, "sent"))
	require.Equal(t, []string{"lost", "sent"}, b.receive(t, url))
	require.Equal(t, []int{1, 1}, b.hits(t))
}

func TestFaultsDuplicate(t *testing.T) {
	b := breakable(t)
	url := b.queue(t, "one")
	b.rules(t, `[{"operation":"*","kind":"duplicate"}]`)
	require.NoError(t, b.send(t, url, "a"))

	fifo := b.queue(t, "one.fifo") // created twice: the same attributes, so once
	require.NoError(t, b.send(t, fifo, "a"))
	put, err := b.kinesis.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String("driver-locations"), PartitionKey: aws.String("k"), Data: []byte("x")})
	require.NoError(t, err)

	b.rules(t, `[]`)
	require.Equal(t, []string{"a", "a"}, b.receive(t, url))
	require.Equal(t, []string{"a"}, b.receive(t, fifo), "deduplicated")
	it, err := b.kinesis.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{StreamName: aws.String("driver-locations"), ShardId: put.ShardId, ShardIteratorType: "TRIM_HORIZON"})
	require.NoError(t, err)

	out, err := b.kinesis.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	require.NoError(t, err)
	require.Len(t, out.Records, 2)
	require.Equal(t, *put.SequenceNumber, *out.Records[0].SequenceNumber, "the first answer is given")
}

func TestFaultsLatencyAddsUpAndEndsWithTheClient(t *testing.T) {
	b := breakable(t)
	url := b.queue(t, "one")
	b.rules(t, `[{"operation":"SendMessage","kind":"latency","latency_ms":30},{"operation":"SendMessage","kind":"latency","latency_ms":40}]`)
	start := time.Now()
	require.NoError(t, b.send(t, url, "a"))
	require.GreaterOrEqual(t, time.Since(start), 70*time.Millisecond)

	b.rules(t, `[{"operation":"SendMessage","kind":"latency","latency_ms":60000}]`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := b.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("b")})
	require.Error(t, err)
	require.Equal(t, []string{"a"}, b.receive(t, url), "a client that went away changed nothing")
}

func TestFaultsReorderIsForStandardQueues(t *testing.T) {
	b := breakable(t)
	sent := []string{}
	for i := range 10 {
		sent = append(sent, fmt.Sprint(i))
	}

	orders := []string{}
	for _, name := range []string{"one", "two", "one.fifo"} {
		url := b.queue(t, name)
		for _, body := range sent {
			require.NoError(t, b.send(t, url, body))
		}

		b.rules(t, `[{"operation":"ReceiveMessage","kind":"reorder","seed":4}]`)
		got := b.receive(t, url)
		require.ElementsMatch(t, sent, got)
		orders = append(orders, strings.Join(got, ""))
	}
	require.NotEqual(t, "0123456789", orders[0])
	require.Equal(t, orders[0], orders[1], "the same seed, the same order")
	require.Equal(t, "0123456789", orders[2])
	require.Equal(t, []int{0}, b.hits(t))
}

func TestFaultsExpiredIterator(t *testing.T) {
	b := breakable(t)
	b.rules(t, `[{"operation":"GetRecords","kind":"expired_iterator","count":1,"resource":"driver"},{"operation":"GetRecords","kind":"reset","resource":"another"}]`)
	it, err := b.kinesis.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{StreamName: aws.String("driver-locations"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: "TRIM_HORIZON"})
	require.NoError(t, err)

	_, err = b.kinesis.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	require.Equal(t, "ExpiredIteratorException", code(err))
	_, err = b.kinesis.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	require.NoError(t, err)
}

// With retries, the SDK gets its messages through: each once or more often.
func TestFaultsTheSDKRetriesThrough(t *testing.T) {
	b := breakable(t)
	url := b.queue(t, "one")
	b.rules(t, `[{"operation":"SendMessage","kind":"reset","probability":0.2,"seed":1},{"operation":"SendMessage","kind":"lost_answer","probability":0.2,"seed":2},
		{"operation":"SendMessage","kind":"error","code":"ServiceUnavailable","status":503,"probability":0.2,"seed":3}]`)
	cfg, err := testaws.Config(t.Context(), b.endpoint, "")
	require.NoError(t, err)

	patient := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff, r.RateLimiter = 20, time.Millisecond, ratelimit.None
		})
	})

	for i := range 10 {
		body := fmt.Sprint(i)
		_, err := patient.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body})
		require.NoError(t, err)
	}

	b.rules(t, `[]`)
	got := map[string]bool{}
	for bodies := b.receive(t, url); len(bodies) > 0; bodies = b.receive(t, url) {
		for _, body := range bodies {
			got[body] = true
		}
	}
	require.Len(t, got, 10)
}

func TestFaultsAreOffUnlessAskedFor(t *testing.T) {
	endpoint := testenv.Emulator(t)
	resp, err := http.Get(endpoint.Endpoint + "/_aws/faults")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	require.Contains(t, string(body), "--faults")
}
