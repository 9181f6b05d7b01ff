package reshard_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/testenv"
	"tandem/services/tools/reshard"
)

// reader notes each key's last number, and when each shard was read first.
type reader struct {
	mu    sync.Mutex
	last  map[string]int
	first map[string]time.Time
	bad   []string
}

func (r *reader) handle(_ context.Context, b shardreader.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, seen := r.first[b.Shard]; !seen && len(b.Records) > 0 {
		r.first[b.Shard] = time.Now()
	}

	for _, rec := range b.Records {
		n := 0
		_, _ = fmt.Sscan(string(rec.Data), &n)
		if n != r.last[rec.Key]+1 {
			r.bad = append(r.bad, fmt.Sprintf("%s: %d after %d in %s", rec.Key, n, r.last[rec.Key], b.Shard))
		}
		r.last[rec.Key] = n
	}
	return nil
}

func (r *reader) firstOf(shard string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first[shard]
}

func (r *reader) sum() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, last := range r.last {
		n += last
	}
	return n
}

// Two rounds of a split and a merge while a producer writes and three readers read:
// each key's records come to each reader once and in order.
func TestTwoRoundsUnderLoad(t *testing.T) {
	t.Parallel()
	const stream, keys, readers = "resharded", 32, 3
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client := kinesis.NewFromConfig(cfg)
	_, err = client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String(stream), ShardCount: aws.Int32(2)})
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer func() { cancel(); running.Wait() }()
	var all []*reader
	for range readers {
		// A shard answers five reads a second, to all readers together.
		s, err := shardreader.New(shardreader.Options{Client: client, Stream: stream, PollEvery: 700 * time.Millisecond})
		require.NoError(t, err)
		r := &reader{last: map[string]int{}, first: map[string]time.Time{}}
		all = append(all, r)
		running.Go(func() { _ = s.All(ctx, shardreader.Horizon(), r.handle) })
	}

	p, err := kinesisproducer.New(kinesisproducer.Options{Client: client, Stream: stream, Buckets: 6, Linger: 20 * time.Millisecond})
	require.NoError(t, err)
	running.Go(func() { _ = p.Run(ctx, time.Second) })
	var writing sync.WaitGroup
	stop := make(chan struct{})
	put := make([]int, keys)
	failed := make([]error, keys)
	for k := range keys {
		writing.Go(func() {
			for failed[k] == nil {
				select {
				case <-stop:
					return
				default:
				}
				if _, failed[k] = p.Put(ctx, fmt.Sprint("driver-", k), fmt.Append(nil, put[k]+1)); failed[k] == nil {
					put[k]++
				}
			}
		})
	}

	var out strings.Builder
	tool := reshard.Tool{Client: client, Stream: stream, Buckets: 6, Wait: 20 * time.Second, Every: 20 * time.Millisecond, Out: &out}
	id := func(n int) string { return fmt.Sprintf("shardId-%012d", n) }
	read := func(shards ...string) {
		done := time.Now()
		for _, shard := range shards {
			for i, r := range all {
				require.Eventually(t, func() bool { return !r.firstOf(shard).IsZero() }, 30*time.Second, 10*time.Millisecond, "reader %d, %s", i, shard)
				t.Logf("reader %d: first record of %s %v after its change", i, shard, r.firstOf(shard).Sub(done).Round(time.Millisecond))
			}
		}
	}

	read(id(0), id(1))
	// Shards 2 and 3 come of 0, and 4 of them; 5 and 6 come of 4, and 7 of them.
	for _, n := range []int{0, 4} {
		next := max(2, n+1)
		require.NoError(t, tool.Split(t.Context(), id(n)))
		read(id(next), id(next+1))
		require.NoError(t, tool.Merge(t.Context(), id(next), id(next+1)))
		read(id(next + 2))
	}

	close(stop)
	writing.Wait()
	want := 0
	for k := range keys {
		require.NoError(t, failed[k])
		want += put[k]
	}
	for i, r := range all {
		require.Eventually(t, func() bool { return r.sum() == want }, 30*time.Second, 10*time.Millisecond, "reader %d", i)
		r.mu.Lock()
		require.Empty(t, r.bad, "reader %d", i)
		r.mu.Unlock()
	}
	t.Logf("%d records to each of %d readers", want, readers)

	require.Contains(t, out.String(), stream+", before: 2 open shards")
	require.Contains(t, out.String(), stream+", after: 3 open shards")
	require.Regexp(t, id(7)+` +`+id(5)+" "+id(6)+` +open +32 +0 +170141183460469231731687303715884105727\n`, out.String(), "the lineage")
}
