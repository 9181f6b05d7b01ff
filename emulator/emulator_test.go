package emulator_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/services/test/testaws"
	"tandem/services/test/testenv"
)

const childVar = "EMULATOR_TEST_CHILD"

// TestMain runs the emulator instead of the tests where a test has started this
// binary again to be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		child(dir)
		return
	}

	os.Exit(m.Run())
}

func child(dir string) {
	l, err := net.Listen("tcp", os.Getenv("EMULATOR_TEST_ADDR"))
	if err != nil {
		panic(err)
	}

	fmt.Println(l.Addr())
	cfg := emulator.Default()
	cfg.DataDir, cfg.Limits, cfg.Reorder, cfg.Duplicate = dir, false, 0, 0
	_ = emulator.Run(context.Background(), l, slog.New(slog.DiscardHandler), cfg)
}

// Two emulators would write over each other's journal: the second one says so.
func TestOneFolderIsForOneEmulator(t *testing.T) {
	dir := t.TempDir()
	first := testenv.Emulator(t, func(c *emulator.Config) { c.DataDir = dir })
	cfg, err := testaws.Config(t.Context(), first.Endpoint, "")
	require.NoError(t, err)

	_, err = sqs.NewFromConfig(cfg).ListQueues(t.Context(), &sqs.ListQueuesInput{}) // it is open
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.ErrorContains(t, emulator.Run(t.Context(), l, slog.New(slog.DiscardHandler), emulator.Config{DataDir: dir}), "another emulator works in "+dir)

	_, err = l.Accept()
	require.Error(t, err, "the listener is closed")
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	for _, cfg := range []emulator.Config{{Reorder: 1.5}, {Duplicate: -0.5}, {StreamBytesCap: -1}, {IteratorLife: -1}, {MaxInFlight: -1}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.ErrorContains(t, emulator.Run(t.Context(), l, slog.New(slog.DiscardHandler), cfg), " 0", "%+v", cfg)
	}
}

func TestLookingTouchesNothingAndUnknownIsNamed(t *testing.T) {
	endpoint := testenv.Emulator(t)
	get := func(path string) string {
		resp, err := http.Get(endpoint.Endpoint + path)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(b)
	}

	cfg, err := testaws.Config(t.Context(), endpoint.Endpoint, "")
	require.NoError(t, err)
	queues := sqs.NewFromConfig(cfg)
	url, err := queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("ride-requests")})
	require.NoError(t, err)

	_, err = queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: aws.String("look at me")})
	require.NoError(t, err)
	for range 8 {
		require.Contains(t, get("/_aws/sqs/messages?QueueUrl="+*url.QueueUrl), "look at me")

		state := get("/_aws/emulator/state")
		require.Contains(t, state, `"name":"ride-requests","visible":1`)
		require.Contains(t, state, `{"stream":"driver-locations","consumer":"mapfeed-1","shards":[]}`)
		require.Contains(t, state, `{"topic":"tandem-alarms","subscriptions":[]}`)
	}

	out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	require.NoError(t, err)
	require.Equal(t, "1", out.Messages[0].Attributes["ApproximateReceiveCount"], "looking counts nothing")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint.Endpoint, strings.NewReader("{}"))
	require.NoError(t, err)
	req.Header.Set("X-Amz-Target", "AmazonSQS.AddPermission")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 400, resp.StatusCode)
	require.Contains(t, string(b), "UnsupportedOperation")
	require.Contains(t, string(b), "AddPermission")
}
