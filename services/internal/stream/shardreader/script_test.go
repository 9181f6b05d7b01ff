package shardreader_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// Whatever happens, and whichever way a shard is read: each record once, in order.
func TestEachRecordOnceWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		events := []string{"put", "put", "aggregate", "wait", "long", "grant", "revoke", "break", "end", "expire", "fail", "slow"}
		script := rapid.SliceOfN(rapid.SampledFrom(events), 1, 60).Draw(rt, "script")
		limit := rapid.IntRange(1, 5).Draw(rt, "limit")
		var want, got []string
		synctest.Test(t, func(t *testing.T) { want, got = play(t, script, limit) })
		require.Equal(rt, want, got)
	})
}

// play reads a shard while a script goes on, and returns what was put and read.
func play(t *testing.T, script []string, limit int) (want, got []string) {
	want = []string{}
	s := fakestream.New("a")
	s.Limit(limit)
	l := &leased{arn: s.Register("c")}
	o := polling(s)
	o.FanOut, o.Consumer = s, l.consumer
	var c collect
	var slow atomic.Bool

	_ = during(t, func(ctx context.Context) error {
		return newReader(t, o).Shard(ctx, "a", shardreader.Horizon(), func(ctx context.Context, b shardreader.Batch) error {
			if slow.Load() {
				time.Sleep(7 * time.Second)
			}
			return c.handle(ctx, b)
		})
	}, func() {
		next := func() string {
			want = append(want, fmt.Sprint(len(want)))
			return want[len(want)-1]
		}
		for _, what := range script {
			switch what {
			case "put":
				s.Put("a", "k", []byte(next()))
			case "aggregate":
				s.Put("a", "k", aggregate(t, len(want), 3))
				for range 3 {
					next()
				}
			case "wait":
				time.Sleep(700 * time.Millisecond)
			case "long":
				time.Sleep(6 * time.Minute)
			case "grant":
				l.grant()
			case "revoke":
				l.revoke()
			case "break":
				s.Break(fakestream.ErrRefused)
			case "end":
				s.Break(nil)
			case "expire":
				s.Expire()
			case "slow":
				slow.Store(!slow.Load())
			case "fail":
				n := 3
				s.Fail(func(string) error {
					if n--; n >= 0 {
						return fakestream.ErrRefused
					}
					return nil
				})
			}
		}

		slow.Store(false)
		time.Sleep(10 * time.Minute)
	})
	return want, c.got()
}
