package shardreader_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/logging"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/testenv"
)

// breaking is a network that cuts answers of the named operations at random.
type breaking struct {
	next http.RoundTripper
	ops  string
	cuts *atomic.Int64
	subs *atomic.Int64 // subscriptions that were granted
}

func (b breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if err == nil && op == "SubscribeToShard" && resp.StatusCode == http.StatusOK {
		b.subs.Add(1)
	}
	if err == nil && strings.Contains(b.ops, op) && rand.IntN(2) == 0 {
		resp.Body = &cut{ReadCloser: resp.Body, left: rand.IntN(20_000), cuts: b.cuts}
	}
	return resp, err
}

type cut struct {
	io.ReadCloser
	left int
	cuts *atomic.Int64
}

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left+1)])
	if c.left -= n; c.left < 0 {
		c.cuts.Add(1)
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// tally notes the last record of each key and what was not the one after it.
type tally struct {
	mu   sync.Mutex
	last map[string]int
	n    int
	bad  []string
}

func (l *tally) handle(_ context.Context, b shardreader.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range b.Records {
		var i int
		_, _ = fmt.Sscan(string(r.Data), &i)
		if want := l.last[r.Key] + 1; i != want {
			l.bad = append(l.bad, fmt.Sprintf("%s: %d, not %d, in %s", r.Key, i, want, b.Shard))
		}
		l.last[r.Key] = i
		l.n++
	}
	return nil
}

func (l *tally) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// By the SDK, over HTTP, from an emulator, through a network that cuts
// connections, while shards are split and merged: every key's records come once,
// in order, whichever way they are read.
func TestOverHTTPThroughCutsAndResharding(t *testing.T) {
	t.Parallel()
	const keys, rounds, stream = 20, 90, "cuts"
	at := testenv.Emulator(t)
	var cuts, subs atomic.Int64
	clean, err := awsclient.New(t.Context(), at)
	require.NoError(t, err)
	at.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		return breaking{next: next, ops: "SubscribeToShard GetRecords", cuts: &cuts, subs: &subs}
	}
	broken, err := awsclient.New(t.Context(), at)
	require.NoError(t, err)
	broken.Logger = logging.Nop{}
	client := kinesis.NewFromConfig(clean)
	_, err = client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String(stream), ShardCount: aws.Int32(2)})
	require.NoError(t, err)

	o := shardreader.Options{Client: kinesis.NewFromConfig(broken), Stream: stream, PollEvery: 250 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
	fan := o
	fan.FanOut, fan.Consumer = shardreader.FanOutOf(kinesis.NewFromConfig(broken)), always(register(t, client, stream, "c"))

	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	readers := map[string]*tally{}
	for name, o := range map[string]shardreader.Options{"polling": o, "fan-out": fan} {
		l := &tally{last: map[string]int{}}
		readers[name] = l
		r := newReader(t, o)
		wg.Go(func() { _ = r.All(ctx, shardreader.Horizon(), l.handle) })
	}

	for i := 1; i <= rounds; i++ {
		in := &kinesis.PutRecordsInput{StreamName: aws.String(stream)}
		for k := range keys {
			in.Records = append(in.Records, types.PutRecordsRequestEntry{PartitionKey: aws.String(fmt.Sprint("k", k)), Data: fmt.Appendf(nil, "%-200d", i)})
		}
		out, err := client.PutRecords(t.Context(), in)
		require.NoError(t, err)
		require.Zero(t, *out.FailedRecordCount)
		if i%(rounds/3) == 0 {
			reshard(t, client, stream, i/(rounds/3))
		}
		time.Sleep(20 * time.Millisecond)
	}

	for name, l := range readers {
		require.Eventually(t, func() bool { return l.count() >= keys*rounds }, 2*time.Minute, 20*time.Millisecond, name)
	}
	cancel()
	wg.Wait()
	for name, l := range readers {
		require.Empty(t, l.bad, name)
		require.Equal(t, keys*rounds, l.n, name)
	}

	require.Positive(t, cuts.Load())
	// Reading a shard begins with a subscription, which nobody else holds. Five of
	// the shards have records.
	require.Greater(t, subs.Load(), int64(4), "each of the shards at least once")
	t.Logf("%d connections cut, %d subscriptions", cuts.Load(), subs.Load())
}

// Another subscription of the same consumer takes the shard over after 5 s; the
// reader is told so, polls, and takes it back when it may.
func TestOverHTTPTakenOver(t *testing.T) {
	t.Parallel()
	const stream = "taken"
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client := kinesis.NewFromConfig(cfg)
	_, err = client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String(stream), ShardCount: aws.Int32(1)})
	require.NoError(t, err)
	arn := register(t, client, stream, "c")

	r := newReader(t, shardreader.Options{
		Client: client, FanOut: shardreader.FanOutOf(client), Consumer: always(arn), Stream: stream, Log: slog.New(slog.DiscardHandler),
	})
	l := &tally{last: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.All(ctx, shardreader.Horizon(), l.handle) }()

	pushed := func(want bool) {
		require.Eventually(t, func() bool {
			st := r.State()
			return len(st) == 1 && !st[0].PolledAt.IsZero() && st[0].FanOut == want
		}, 20*time.Second, 5*time.Millisecond, "by fan-out: %t", want)
	}

	n := 0
	put := func() {
		n++
		_, err := client.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String(stream), PartitionKey: aws.String("k"), Data: fmt.Append(nil, n)})
		require.NoError(t, err)
		require.Eventually(t, func() bool { return l.count() == n }, 20*time.Second, 5*time.Millisecond)
	}

	pushed(true)
	put()

	in := &kinesis.SubscribeToShardInput{
		ConsumerARN: &arn, ShardId: aws.String(r.State()[0].Shard), StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeLatest},
	}
	require.Eventually(t, func() bool {
		_, err := client.SubscribeToShard(ctx, in)
		return err == nil
	}, 20*time.Second, 200*time.Millisecond, "the rival is refused for 5 s")

	pushed(false)
	put()
	pushed(true)
	put()

	cancel()
	require.NoError(t, <-ended)
	require.Empty(t, l.bad)
}

// register registers a consumer and waits until it may subscribe: it is CREATING
// for a while, and a shard whose first subscription is refused is polled, perhaps
// to its end.
func register(t *testing.T, client *kinesis.Client, stream, name string) (arn string) {
	t.Helper()
	d, err := client.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
	require.NoError(t, err)
	out, err := client.RegisterStreamConsumer(t.Context(), &kinesis.RegisterStreamConsumerInput{StreamARN: d.StreamDescriptionSummary.StreamARN, ConsumerName: &name})
	require.NoError(t, err)

	arn = *out.Consumer.ConsumerARN
	require.Eventually(t, func() bool {
		out, err := client.DescribeStreamConsumer(t.Context(), &kinesis.DescribeStreamConsumerInput{ConsumerARN: &arn})
		return err == nil && out.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive
	}, 20*time.Second, 20*time.Millisecond)
	return arn
}

// reshard merges the two open shards, or splits the one.
func reshard(t *testing.T, client *kinesis.Client, stream string, step int) {
	t.Helper()
	out, err := client.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: &stream})
	require.NoError(t, err)
	var open []types.Shard
	for _, s := range out.Shards {
		if s.SequenceNumberRange.EndingSequenceNumber == nil {
			open = append(open, s)
		}
	}

	if step%2 == 1 {
		_, err = client.MergeShards(t.Context(), &kinesis.MergeShardsInput{StreamName: &stream, ShardToMerge: open[0].ShardId, AdjacentShardToMerge: open[1].ShardId})
	} else {
		_, err = client.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: &stream, ShardToSplit: open[0].ShardId, NewStartingHashKey: aws.String("170141183460469231731687303715884105728")})
	}
	require.NoError(t, err)
}
