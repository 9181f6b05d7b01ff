package emulator

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/test/testaws"
)

const shortCall = 300 * time.Millisecond

// impatient serves an emulator whose calls are cut off after shortCall, with
// these faults.
func impatient(t *testing.T, rules string) aws.Config {
	t.Helper()
	e, err := open(slog.New(slog.DiscardHandler), Config{Faults: true})
	require.NoError(t, err)
	e.callWithin = shortCall
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- e.serve(ctx, l)
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-served)
		require.NoError(t, e.close())
	})

	endpoint := "http://" + l.Addr().String()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, endpoint+"/_aws/faults", strings.NewReader(rules))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)

	cfg, err := testaws.Config(t.Context(), endpoint, "")
	require.NoError(t, err)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return cfg
}

// A subscription outlives what bounds an ordinary call, also when the faults
// have read its request, and over HTTP/2, where a time-out ends the whole stream
// and not only a read or a write.
func TestASubscriptionOutlivesTheServersTimeouts(t *testing.T) {
	t.Run("HTTP/1.1", func(t *testing.T) { subscriptionOutlives(t, nil) })
	t.Run("HTTP/2", func(t *testing.T) {
		p := &http.Protocols{}
		p.SetUnencryptedHTTP2(true)
		subscriptionOutlives(t, &http.Client{Transport: &http.Transport{Protocols: p}})
	})
}

func subscriptionOutlives(t *testing.T, speaks aws.HTTPClient) {
	cfg := impatient(t, `[{"operation":"SubscribeToShard","kind":"latency","latency_ms":1},{"operation":"SendMessage","kind":"reset"}]`)
	if speaks != nil {
		cfg.HTTPClient = speaks
	}
	client := kinesis.NewFromConfig(cfg)
	consumers, err := client.ListStreamConsumers(t.Context(), &kinesis.ListStreamConsumersInput{StreamARN: aws.String(arn("kinesis", "stream/driver-locations"))})
	require.NoError(t, err)
	require.Len(t, consumers.Consumers, 4, "those of messaging.yaml")

	shards, err := client.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String("driver-locations")})
	require.NoError(t, err)
	out, err := client.SubscribeToShard(t.Context(), &kinesis.SubscribeToShardInput{
		ConsumerARN: consumers.Consumers[0].ConsumerARN, ShardId: shards.Shards[0].ShardId, StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeLatest},
	})
	require.NoError(t, err)

	events := out.GetStream()
	defer func() { require.NoError(t, events.Close()) }()
	later := time.After(3 * shortCall)
	for got := 0; got == 0; {
		select {
		case <-later:
			_, err := client.PutRecord(t.Context(), &kinesis.PutRecordInput{
				StreamName: aws.String("driver-locations"), PartitionKey: aws.String("k"), Data: []byte("x"), ExplicitHashKey: shards.Shards[0].HashKeyRange.StartingHashKey,
			})
			require.NoError(t, err)
		case e, ok := <-events.Events():
			require.True(t, ok, "cut off: %v", events.Err())

			if e, ok := e.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent); ok {
				got = len(e.Value.Records)
			}
		}
	}
}

// A latency that was asked for is waited for, longer than an ordinary call.
func TestALatencyOutlivesTheServersTimeouts(t *testing.T) {
	client := sqs.NewFromConfig(impatient(t, `[{"operation":"ListQueues","kind":"latency","latency_ms":700}]`))
	out, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	require.NoError(t, err)
	require.Len(t, out.QueueUrls, 11)
}

// One that the server would cut off shows that the time-outs of the tests above
// are at work.
func TestTheServerHasTimeouts(t *testing.T) {
	client := sqs.NewFromConfig(impatient(t, `[]`))
	_, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("/ride-requests-dlq"), WaitTimeSeconds: 1})
	require.Error(t, err)
}

// A page of another site can send a form, or a body of text/plain, without asking
// first. It must create no topic and send no text. SDKs send no Origin.
func TestPagesAreRefused(t *testing.T) {
	cfg := impatient(t, `[]`)
	ask := func(method, path, body string, header map[string]string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, *cfg.BaseEndpoint+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for k, v := range header {
			req.Header.Set(k, v)
		}

		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}

	create, text := "Action=CreateTopic&Name=evil", "Action=Publish&PhoneNumber=%2B15551234567&Message=evil"
	for _, page := range []map[string]string{
		{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": *cfg.BaseEndpoint},
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
	} {
		assert.Equal(t, http.StatusForbidden, ask("POST", "/", create, page), page)
		assert.Equal(t, http.StatusForbidden, ask("POST", "/", text, page), page)
		assert.Equal(t, http.StatusForbidden, ask("GET", "/_aws/sns/sms-messages", "", page), page)
	}

	topics, err := sns.NewFromConfig(cfg).ListTopics(t.Context(), &sns.ListTopicsInput{})
	require.NoError(t, err)
	require.Len(t, topics.Topics, 2, "those of messaging.yaml")
	require.Equal(t, http.StatusOK, ask("GET", "/_aws/sns/sms-messages", "", map[string]string{"Sec-Fetch-Site": "none"}), "a person who types the address")
}
