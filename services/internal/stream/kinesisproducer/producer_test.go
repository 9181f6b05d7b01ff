package kinesisproducer_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/kpl"
)

// fakeStream stores what it is given, and fails as Kinesis may: single records,
// whole calls, and answers that are lost after the records were stored.
type fakeStream struct {
	mu         sync.Mutex
	rng        *rand.Rand
	partial    float64 // share of records that fail
	lost       float64 // share of calls whose answer is lost
	down       bool
	stored     map[string][]uint64 // by key, as a reader sees them
	aggregates int
	records    int
}

func newFakeStream(seed uint64) *fakeStream {
	return &fakeStream{rng: rand.New(rand.NewPCG(seed, 1)), stored: map[string][]uint64{}}
}

func (f *fakeStream) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down || ctx.Err() != nil {
		return nil, errors.New("connection refused")
	}
	out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(0)} // not to be trusted
	// Kinesis promises no order within a call: store it in another one.
	for _, i := range f.rng.Perm(len(in.Records)) {
		r := in.Records[i]
		if f.rng.Float64() < f.partial {
			continue
		}
		users, err := kpl.Deaggregate(r.Data, *r.PartitionKey)
		if err != nil {
			return nil, err
		}
		f.aggregates++
		for _, u := range users {
			f.records++
			f.stored[u.Key] = append(f.stored[u.Key], binary.BigEndian.Uint64(u.Data))
		}
		in.Records[i].PartitionKey = nil // stored
	}
	for _, r := range in.Records {
		if r.PartitionKey == nil {
			out.Records = append(out.Records, types.PutRecordsResultEntry{SequenceNumber: aws.String("1"), ShardId: aws.String("s")})
		} else {
			out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("ProvisionedThroughputExceededException")})
		}
	}
	if f.rng.Float64() < f.lost {
		return nil, errors.New("the answer was lost")
	}
	return out, nil
}

func datum(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func start(f *fakeStream, change ...func(*kinesisproducer.Options)) (p *kinesisproducer.Producer, stop func() error) {
	o := kinesisproducer.Options{Client: f, Stream: "s", Buckets: 3, Log: slog.New(slog.DiscardHandler), Linger: 20 * time.Millisecond}
	for _, c := range change {
		c(&o)
	}
	p = kinesisproducer.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, 30*time.Second) }()
	return p, func() error { cancel(); return <-ended }
}

// distinct drops repeats as a reader does: what is not above the newest seen.
func distinct(seen []uint64) (out []uint64, skipped []uint64) {
	last := uint64(0)
	for _, n := range seen {
		if n > last {
			out, last = append(out, n), n
		} else {
			skipped = append(skipped, n)
		}
	}
	return out, skipped
}

// Whatever fails, what was acknowledged is on the stream, and each key's data,
// after repeats are dropped, is there in order without a hole.
func TestEachKeysOrderThroughFailures(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		partial := rapid.Float64Range(0, 0.6).Draw(rt, "partial")
		lost := rapid.Float64Range(0, 0.4).Draw(rt, "lost")
		patience := time.Duration(rapid.IntRange(50, 2000).Draw(rt, "patience ms")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			f := newFakeStream(seed)
			f.partial, f.lost = partial, lost
			p, stop := start(f)
			var wg sync.WaitGroup
			for k := range 12 {
				wg.Go(func() {
					key := fmt.Sprint("driver-", k)
					next, want := uint64(1), uint64(30)
					for next <= want {
						var batch [][]byte
						for n := next; n <= min(next+4, want); n++ {
							batch = append(batch, datum(n))
						}
						ctx, cancel := context.WithTimeout(context.Background(), patience)
						acked, err := p.Put(ctx, key, batch...)
						cancel()
						if err == nil && acked != len(batch) {
							t.Errorf("acked %d of %d without an error", acked, len(batch))
						}
						next += uint64(acked)
					}
				})
			}
			wg.Wait()
			if err := stop(); err != nil {
				t.Error(err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			for k := range 12 {
				key := fmt.Sprint("driver-", k)
				got, skipped := distinct(f.stored[key])
				if len(got) != 30 {
					t.Fatalf("%s: %d of 30, in order %v of %v", key, len(got), got, f.stored[key])
				}
				for _, n := range skipped {
					if n > 30 {
						t.Errorf("%s: %d was skipped", key, n)
					}
				}
			}
		})
	})
}

func TestManyDataTravelInFewRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		p, stop := start(f)
		var wg sync.WaitGroup
		for k := range 200 {
			wg.Go(func() {
				if _, err := p.Put(t.Context(), fmt.Sprint(k), datum(1), datum(2), datum(3)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.NoError(t, stop())
		require.Equal(t, 600, f.records)
		require.LessOrEqual(t, f.aggregates, 16, "8 buckets, two rounds at most")
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		f.down = true
		p, stop := start(f, func(o *kinesisproducer.Options) { o.MaxPending = 64 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		blocked := make(chan error, 1)
		go func() {
			_, err := p.Put(ctx, "a", datum(1), datum(2), datum(3), datum(4), datum(5), datum(6), datum(7))
			blocked <- err
		}()
		synctest.Wait()
		short, cancelShort := context.WithTimeout(t.Context(), time.Second)
		defer cancelShort()
		_, err := p.Put(short, "b", datum(1), datum(2))
		require.ErrorIs(t, err, context.DeadlineExceeded, "there is no room")
		require.Error(t, p.Ready(t.Context()), "and it says why")
		f.mu.Lock()
		f.down = false
		f.mu.Unlock()
		require.NoError(t, <-blocked)
		_, err = p.Put(t.Context(), "b", datum(1))
		require.NoError(t, err)
		require.NoError(t, p.Ready(t.Context()))
		require.NoError(t, stop())
		_, err = p.Put(t.Context(), "b", datum(1))
		require.ErrorIs(t, err, kinesisproducer.ErrClosed)
	})
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	p, stop := start(newFakeStream(1), func(o *kinesisproducer.Options) { o.AggregateMax = 1024 })
	_, err := p.Put(t.Context(), "k", make([]byte, 2000))
	require.ErrorIs(t, err, kinesisproducer.ErrTooLarge)
	require.NoError(t, stop())
}
