package emulator_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/emulator"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/testenv"
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
	_ = emulator.Run(context.Background(), lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}, cfg)
}

// process starts the emulator as a process of its own on addr.
func process(t *testing.T, dir, addr string) (cmd *exec.Cmd, endpoint string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+dir, "EMULATOR_TEST_ADDR="+addr)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line := make([]byte, 64)
	n, err := out.Read(line)
	require.NoError(t, err)
	return cmd, strings.TrimSpace(string(line[:n]))
}

// Killed with -9 in the midst of sends, deletes and puts, it reopens with
// everything that it had acknowledged.
func TestKilledItKeepsWhatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	cmd, addr := process(t, dir, "127.0.0.1:0")
	cfg, err := awsclient.New(t.Context(), awsclient.Config{Endpoint: "http://" + addr})
	require.NoError(t, err)
	noRetry := func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} }
	queues, streams := sqs.NewFromConfig(cfg, noRetry), kinesis.NewFromConfig(cfg, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} })
	var mu sync.Mutex
	sent, put := map[string]bool{}, map[string]bool{}
	url, err := queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("ride-requests")})
	require.NoError(t, err)
	for round := range 4 {
		var wg sync.WaitGroup
		stop := make(chan struct{})
		work := func(f func(n int) error) {
			wg.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					if f(n) != nil {
						return // killed
					}
				}
			})
		}
		for w := range 4 {
			work(func(n int) error {
				body := fmt.Sprintf("%d-%d-%d", round, w, n)
				_, err := queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: &body})
				if err == nil {
					mu.Lock()
					sent[body] = true
					mu.Unlock()
				}
				return err
			})
			work(func(n int) error {
				body := fmt.Sprintf("%d-%d-%d", round, w, n)
				_, err := streams.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String("driver-locations"), PartitionKey: &body, Data: []byte(body)})
				if err == nil {
					mu.Lock()
					put[body] = true
					mu.Unlock()
				}
				return err
			})
		}
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(sent) > 200*(round+1) && len(put) > 200*(round+1)
		}, 30*time.Second, time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		close(stop)
		wg.Wait()
		_ = cmd.Wait()
		cmd, _ = process(t, dir, addr)
	}
	require.Equal(t, sent, drainQueue(t, queues, url.QueueUrl, sent))
	got := readStream(t, streams)
	for body := range put {
		require.True(t, got[body], "the record %s was acknowledged", body)
	}
}

// drainQueue receives and deletes until every body of want was seen, and gives
// those of them that were.
func drainQueue(t *testing.T, queues *sqs.Client, url *string, want map[string]bool) map[string]bool {
	t.Helper()
	got := map[string]bool{}
	for {
		out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		require.NoError(t, err)
		if len(out.Messages) == 0 {
			return got
		}
		for _, m := range out.Messages {
			if want[*m.Body] { // an unanswered send may be there too
				got[*m.Body] = true
			}
			_, err := queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle})
			require.NoError(t, err)
		}
	}
}

func readStream(t *testing.T, streams *kinesis.Client) map[string]bool {
	t.Helper()
	got := map[string]bool{}
	shards, err := streams.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String("driver-locations")})
	require.NoError(t, err)
	for _, sh := range shards.Shards {
		it, err := streams.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{StreamName: aws.String("driver-locations"), ShardId: sh.ShardId, ShardIteratorType: "TRIM_HORIZON"})
		require.NoError(t, err)
		last := ""
		for next := it.ShardIterator; next != nil; {
			out, err := streams.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next})
			require.NoError(t, err)
			for _, r := range out.Records {
				require.Greater(t, *r.SequenceNumber, last, "sequence numbers rise, through restarts too")
				last = *r.SequenceNumber
				got[string(r.Data)] = true
			}
			if next = out.NextShardIterator; *out.MillisBehindLatest == 0 {
				break
			}
		}
	}
	return got
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
	cfg, err := awsclient.New(t.Context(), endpoint)
	require.NoError(t, err)
	queues := sqs.NewFromConfig(cfg)
	url, err := queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("ride-requests")})
	require.NoError(t, err)
	_, err = queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: aws.String("look at me")})
	require.NoError(t, err)
	for range 8 {
		require.Contains(t, get("/_aws/sqs/messages?QueueUrl="+*url.QueueUrl), "look at me")
		require.Contains(t, get("/_aws/emulator/state"), `"name":"ride-requests","visible":1`)
	}
	out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	require.NoError(t, err)
	require.Equal(t, "1", out.Messages[0].Attributes["ApproximateReceiveCount"], "looking counts nothing")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint.Endpoint, strings.NewReader("{}"))
	require.NoError(t, err)
	req.Header.Set("X-Amz-Target", "AmazonSQS.TagQueue")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 400, resp.StatusCode)
	require.Contains(t, string(b), "UnsupportedOperation")
	require.Contains(t, string(b), "TagQueue")
}
