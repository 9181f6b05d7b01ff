package shardreader_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// A reader comes back five minutes late to a shard that takes all it can: 1 MB a
// second. What the shard serves beside is 1 MB more.
func TestAFullShardIsCaughtUpWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Limit(100) // 10 MB a call
		data := make([]byte, 100_000)
		for i := range 3000 {
			s.PutAt(time.Now().Add(time.Duration(i-3000)*100*time.Millisecond), "a", "k", data)
		}

		r := newReader(t, polling(s))
		require.NoError(t, during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Horizon(), func(context.Context, shardreader.Batch) error { return nil })
		}, func() {
			for range 6 * 600 {
				s.Put("a", "k", data)
				time.Sleep(100 * time.Millisecond)
				if st := r.State()[0]; st.AtTip {
					return
				}
			}
			require.Fail(t, "after 6 minutes", "still %v behind", r.State()[0].Behind)
		}))
	})
}

// perRecord is a stream whose server takes its time over each record that a call
// asks for, after the first calls, which are answered at once.
type perRecord struct {
	*fakestream.Stream
	each   time.Duration
	atOnce int
}

func (p *perRecord) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, o ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	if p.atOnce--; p.atOnce < 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(*in.Limit) * p.each):
		}
	}
	p.Limit(int(*in.Limit))
	return p.Stream.GetRecords(ctx, in, o...)
}

func atTip(r *shardreader.Reader) bool {
	st := r.State()
	return len(st) == 1 && st[0].AtTip
}

// A call for all that a reader would take needs longer than a call may: it asks
// for less, whether the server is slow from the start or becomes so.
func TestAServerThatIsSlowByTheRecordIsCaughtUpWith(t *testing.T) {
	for name, atOnce := range map[string]int{"from the start": 0, "after calls for 5,000": 5} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &perRecord{fakestream.New("a"), 4 * time.Millisecond, atOnce}
				for range 25_000 {
					s.Put("a", "k", []byte("x"))
				}

				o := polling(s.Stream)
				o.Client = s
				r, records, began := newReader(t, o), 0, time.Now()
				require.NoError(t, during(t, func(ctx context.Context) error {
					return r.Shard(ctx, "a", shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
						records += len(b.Records)
						return nil
					})
				}, func() {
					for time.Since(began) < 3*time.Minute && !atTip(r) {
						time.Sleep(time.Second)
					}
				}))
				require.Equal(t, 25_000, records)
			})
		})
	}
}
