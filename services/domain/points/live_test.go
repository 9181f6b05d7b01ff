package points

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardreader"
)

// nowhere is a stream that nobody asks.
type nowhere struct{ shardreader.Client }

func newTestLive(t require.TestingT, o LiveOptions) *Live {
	if o.Client == nil {
		o.Client = nowhere{}
	}
	l, err := NewLive(o)
	require.NoError(t, err)
	return l
}

// However points repeat and come late, what is applied of a driver only rises.
func TestNeverAnOlderPointAfterANewer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := map[string]int64{}
		f := newTestLive(t, LiveOptions{Name: "test", Log: slog.New(slog.DiscardHandler), Apply: func(p event.Point, _ time.Time) {
			require.Greater(t, p.Seq, last[p.Driver])
			last[p.Driver] = p.Seq
		}})
		newest := map[string]int64{}
		for range rapid.IntRange(1, 30).Draw(t, "batches") {
			b := shardreader.Batch{Shard: "s"}
			for range rapid.IntRange(0, 5).Draw(t, "size") {
				driver := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "driver")
				seq := rapid.Int64Range(1, 40).Draw(t, "seq")
				data, err := event.Point{Driver: driver, Seq: seq}.Encode()
				require.NoError(t, err)
				newest[driver] = max(newest[driver], seq)
				b.Records = append(b.Records, shardreader.Record{Key: driver, Data: data, Arrived: time.Now()})
			}
			require.NoError(t, f.handle(context.Background(), b))
		}
		require.Equal(t, newest, last, "and the newest is always there")
	})
}

func TestWhatIsNoPointIsLeftOut(t *testing.T) {
	f := newTestLive(t, LiveOptions{Name: "test", Log: slog.New(slog.DiscardHandler), Apply: func(event.Point, time.Time) { t.Fatal("applied") }})
	require.NoError(t, f.handle(t.Context(), shardreader.Batch{Records: []shardreader.Record{{Data: []byte("noise")}}}))
	require.Equal(t, int64(1), f.Detail().Parked)
	require.Error(t, f.Ready(t.Context()))
}

// Drivers come and go for as long as the reader lives; what it remembers of them
// does not grow for as long.
func TestLiveForgetsTheDriversHeardOfLongestAgo(t *testing.T) {
	var applied []string
	l := newTestLive(t, LiveOptions{Name: "test", Log: slog.New(slog.DiscardHandler), Apply: func(p event.Point, _ time.Time) {
		applied = append(applied, p.Driver)
	}})
	hear := func(driver string, seq int64) {
		data, err := event.Point{Driver: driver, Seq: seq}.Encode()
		require.NoError(t, err)
		require.NoError(t, l.handle(t.Context(), shardreader.Batch{Records: []shardreader.Record{{Key: driver, Data: data}}}))
	}

	hear("regular", 1)
	for i := range int64(maxMarks + 1000) {
		hear(fmt.Sprint("d-", i), 1)
		if i%1000 == 0 {
			hear("regular", i+2)
		}
	}
	before := len(applied)
	hear("regular", 2)

	require.Equal(t, maxMarks, l.marks.Len())
	require.Len(t, applied, before, "whoever is still heard of is remembered")
}

// Unknown is never zero: a shard that does not answer falls behind.
func TestBehindIsOfTheSlowestShardAndGrowsInSilence(t *testing.T) {
	now := time.Now()
	state := func(silent, behind time.Duration) shardreader.ShardState {
		polled := now.Add(-silent)
		return shardreader.ShardState{PolledAt: polled, Through: polled.Add(-behind), Behind: behind + silent}
	}
	fine, silent := state(time.Second, 0), state(time.Minute, time.Second)
	closed := shardreader.ShardState{PolledAt: now.Add(-time.Hour), Closed: true}
	failing := shardreader.ShardState{PolledAt: now, Err: errors.New("no answer")}
	for name, c := range map[string]struct {
		shards []shardreader.ShardState
		want   time.Duration
		known  bool
	}{
		"nothing is read yet":  {nil, 0, false},
		"all answer":           {[]shardreader.ShardState{fine, closed}, time.Second, true},
		"one is silent":        {[]shardreader.ShardState{silent, fine}, time.Minute + time.Second, true},
		"one fails":            {[]shardreader.ShardState{fine, failing}, 0, false},
		"one was not read yet": {[]shardreader.ShardState{fine, {}}, 0, false},
	} {
		d, known := behind(c.shards, now)
		require.Equal(t, c.known, known, name)
		if known {
			require.Equal(t, c.want, d, name)
		}
	}

	for name, c := range map[string]struct {
		shards      []shardreader.ShardState
		every, some time.Time
	}{
		"nothing is read yet":  {nil, time.Time{}, time.Time{}},
		"no answer yet":        {[]shardreader.ShardState{{}}, time.Time{}, time.Time{}},
		"one was not read yet": {[]shardreader.ShardState{silent, closed, {}}, time.Time{}, silent.Through},
		"one is silent":        {[]shardreader.ShardState{silent, fine, closed}, silent.Through, fine.Through},
	} {
		every, some := through(c.shards)
		require.Equal(t, c.every, every, name)
		require.Equal(t, c.some, some, name)
	}
}
