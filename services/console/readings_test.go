package console

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
)

// history is what the console hears of a reader with two shards; behind below 0:
// the process does not read them.
func history(now time.Time, behind ...int64) Reader {
	r := Reader{Reader: "history", OK: true, HeardAt: &now, ReaderState: &ReaderState{}}
	for i, ms := range behind {
		d := points.ShardDetail{Shard: []string{"0", "1"}[i]}
		if ms >= 0 {
			d.BehindMS, d.HeardAt = &ms, now.UnixMilli()
		}
		r.Shards = append(r.Shards, d)
	}
	return r
}

func putOn(now time.Time, totals ...int64) (out []Shard) {
	for i, n := range totals {
		out = append(out, Shard{Shard: []string{"0", "1"}[i], HeardAt: &now, Points: n})
	}
	return out
}

// A reader that was killed is back at once and reads nothing until its lease ends:
// it is as far behind as what arrived since, and never at 0.
func TestAReaderThatDoesNotReadFallsBehind(t *testing.T) {
	now := time.Now()
	r := newReadings()
	look := func(after time.Duration, reader Reader, totals ...int64) Reader {
		at := now.Add(after)
		reader.HeardAt = &at
		o := Overview{At: at, Readers: []Reader{reader}, Shards: putOn(at, totals...)}
		r.judge(&o)
		return o.Readers[0]
	}

	first := look(0, history(now, -1, -1), 1000, 1000)
	require.Nil(t, first.BehindMS, "nothing is known of it yet")
	require.Nil(t, first.Unread)
	require.Len(t, first.NotRead, 2)

	well := look(time.Second, history(now, 0, 0), 1050, 1050)
	require.Zero(t, *well.BehindMS)
	require.Zero(t, *well.Unread)
	require.Empty(t, well.NotRead)

	_ = look(2*time.Second, history(now, 0, 0), 1100, 1100)
	back := look(5*time.Second, history(now, -1, -1), 1250, 1250)
	require.Equal(t, int64(3000), *back.BehindMS)
	require.Equal(t, int64(300), *back.Unread)
	require.Len(t, back.NotRead, 2)

	// Nor while it has not seen its leases, or says nothing.
	blank := look(6*time.Second, history(now), 1300, 1300)
	require.Equal(t, int64(4000), *blank.BehindMS)
	require.Equal(t, int64(400), *blank.Unread)
	frozen := history(now, 0, 0)
	frozen.OK = false
	at := now.Add(2 * time.Second)
	o := Overview{At: now.Add(8 * time.Second), Readers: []Reader{frozen}, Shards: putOn(now.Add(8*time.Second), 1400, 1400)}
	o.Readers[0].HeardAt = &at
	r.judge(&o)
	require.Equal(t, int64(6000), *o.Readers[0].BehindMS)
	require.Equal(t, int64(600), *o.Readers[0].Unread)

	// One shard is read again, but late.
	again := look(10*time.Second, history(now, 4000, 0), 1500, 1500)
	require.Equal(t, int64(4000), *again.BehindMS)
	require.Equal(t, int64(200), *again.Unread)
	require.Empty(t, again.NotRead)
}

// What one process of a group does not read another one does.
func TestAGroupsProcessesShareItsShards(t *testing.T) {
	now := time.Now()
	one, two := history(now, 20, -1), history(now, -1, 30)
	one.Reader, two.Reader = "history-1", "history-2"
	o := Overview{At: now, Readers: []Reader{one, two}}
	r := newReadings()
	r.judge(&o)

	require.Equal(t, int64(20), *o.Readers[0].BehindMS)
	require.Equal(t, int64(30), *o.Readers[1].BehindMS)
	require.Empty(t, o.Readers[0].NotRead)
	require.Empty(t, o.Readers[1].NotRead)
}

func TestArrivalsAreCountedBetweenLooks(t *testing.T) {
	now := time.Now()
	a := arrivals{}
	for i := range int64(20) {
		a.note("0", now.Add(time.Duration(i)*time.Second), 50*i)
	}
	since := func(after time.Duration) any {
		n, known := a.since("0", now.Add(after))
		if !known {
			return "unknown"
		}
		return n
	}

	require.Equal(t, int64(0), since(20*time.Second))
	require.Equal(t, int64(25), since(18*time.Second+500*time.Millisecond))
	require.Equal(t, int64(950), since(0))
	require.Equal(t, "unknown", since(-time.Second), "nobody looked")

	a.note("0", now.Add(20*time.Second), 3)
	require.Equal(t, "unknown", since(10*time.Second), "location was restarted, and counts anew")

	for i := range int64(2 * arrivalsFor.Seconds()) {
		a.note("0", now.Add(time.Minute+time.Duration(i)*time.Second), 10+i)
	}
	require.LessOrEqual(t, len(a["0"]), int(arrivalsFor/arrivalsEvery)+2, "it is bounded")
}
