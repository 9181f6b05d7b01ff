package shardreader_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// limited is a stream of one shard that serves what AWS lets it serve to all of its
// readers together: five calls and 2 MiB a second, 10 MiB a call, and nothing for as long
// as the bytes of a larger call than 2 MiB take.
type limited struct {
	*fakestream.Stream
	mu           sync.Mutex
	at           time.Time
	calls, bytes float64 // what is left
	again        time.Time
}

const mebibyte = 1 << 20

func (l *limited) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, o ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	since := now.Sub(l.at).Seconds()
	l.at, l.calls, l.bytes = now, min(5, l.calls+5*since), min(2*mebibyte, l.bytes+2*mebibyte*since)
	if now.Before(l.again) || l.bytes < 0 || l.calls < 1 {
		return nil, fakestream.Throttled()
	}

	l.calls--
	l.Limit(min(int(aws.ToInt32(in.Limit)), 10*mebibyte/lumpRecord))
	out, err := l.Stream.GetRecords(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	n := float64(lumpRecord * len(out.Records))
	if l.bytes -= n; n > 2*mebibyte {
		l.again = now.Add(time.Duration(n / (2 * mebibyte) * float64(time.Second)))
	}
	return out, nil
}

const lumpRecord = 25_000 // bytes: a record as a producer that aggregates makes it

func lumps(n int) *limited {
	l := &limited{Stream: fakestream.New("a"), at: time.Now(), calls: 5, bytes: 2 * mebibyte}
	data := make([]byte, lumpRecord)
	for range n {
		l.PutAt(time.Now().Add(-time.Hour), "a", "k", data)
	}
	return l
}

// plainly reads n records with nothing but GetRecords, again after 200 ms.
func plainly(t *testing.T, l *limited, n int) time.Duration {
	t.Helper()
	began, ctx := time.Now(), context.Background()
	it, err := l.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: aws.String("s"), ShardId: aws.String("a"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	require.NoError(t, err)

	for next := it.ShardIterator; ; time.Sleep(200 * time.Millisecond) {
		out, err := l.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next, Limit: aws.Int32(10_000)})
		if err != nil {
			continue // throttled
		}
		if n, next = n-len(out.Records), out.NextShardIterator; n <= 0 {
			return time.Since(began)
		}
	}
}

// readAll returns how long a reader takes for n records.
func readAll(t *testing.T, l *limited, n int) time.Duration {
	t.Helper()
	o := polling(l.Stream)
	o.Client = l
	r, began := newReader(t, o), time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	var took time.Duration
	require.NoError(t, r.Shard(ctx, "a", shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
		if n -= len(b.Records); n <= 0 && took == 0 {
			took = time.Since(began)
			cancel()
		}
		return nil
	}))
	return took
}

// A reader that is alone takes what the shard serves, as a loop does that calls until it
// is refused. The less there is, the more counts that it begins with half of the bytes,
// and that the loop's last 10 MiB are served before their time.
func TestReadsAsFastAsAPlainLoop(t *testing.T) {
	for records, least := range map[int]float64{2480: 0.75, 9920: 0.9} { // 62 and 248 MB
		synctest.Test(t, func(t *testing.T) {
			plain, ours := plainly(t, lumps(records), records), readAll(t, lumps(records), records)
			t.Logf("%d records, a plain loop: %v, shardreader: %v: %.2f", records, plain, ours, plain.Seconds()/ours.Seconds())
			require.GreaterOrEqual(t, plain.Seconds()/ours.Seconds(), least)
		})
	}
}

// Readers that know nothing of each other come to equal shares, and waste little of what
// the shard serves.
func TestReadersShareWhatAShardServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const records = 9920
		l := lumps(records)
		var took [2]time.Duration
		var wg sync.WaitGroup
		for i := range took {
			wg.Go(func() { took[i] = readAll(t, l, records) })
		}
		wg.Wait()
		t.Logf("two beside each other: %v", took)

		first, last := min(took[0], took[1]), max(took[0], took[1])
		require.Less(t, last.Seconds(), 1.5*first.Seconds(), "equal shares, about")
		require.Less(t, last, 300*time.Second, "496 MB at 2 MiB a second are 237 s")
	})
}
