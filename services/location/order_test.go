package location

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
)

// tape is a stream that acknowledges everything and shows what it took.
type tape struct {
	mu     sync.Mutex
	points []event.Point
	hold   func() // called before a put is acknowledged
}

func (s *tape) Put(_ context.Context, driver string, data ...[]byte) (int, error) {
	if s.hold != nil {
		s.hold()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range data {
		p, err := event.DecodePoint(driver, d)
		if err != nil {
			return 0, err
		}
		s.points = append(s.points, p)
	}
	return len(data), nil
}

// fixes is a body with points of these sequences, all of one fix time.
func fixes(at int64, seqs ...int64) string {
	var points []string
	for _, seq := range seqs {
		points = append(points, fmt.Sprintf(`{"seq":%d,"at":%d,"lat":-34.9,"lon":-56.2}`, seq, at))
	}
	return `{"points":[` + strings.Join(points, ",") + `]}`
}

// A driver that sends a point and then one from a minute before is told so.
func TestWhatDoesNotRiseAboveTheLastBatchIsRefused(t *testing.T) {
	signer, stream := testSigner(t), &tape{}
	do := handler(t, signer, stream)
	n := time.Now().UnixMilli()
	early := n - 120_000
	d, importer := auth.Identity{Subject: "d", Role: auth.Driver}, auth.Identity{Subject: "i", Role: auth.Importer}

	status, out := post(t, do, signer, d, fixes(early, n, n+1))
	require.Equal(t, 202, status, out)
	status, out = post(t, do, signer, d, fixes(early, n-60_000))
	require.Equal(t, 400, status, out)
	require.Contains(t, fmt.Sprint(out["refused"]), "does not rise")
	status, out = post(t, do, signer, d, fixes(early, n, n+1, n+2))
	require.Equal(t, 202, status, "the answer may have been lost: what was sent is sent again, and more: %v", out)
	status, out = post(t, do, signer, d, fixes(early, n-1, n+3))
	require.Equal(t, 202, status, out)
	require.Len(t, out["refused"], 1, "one of two")
	require.InDelta(t, n+3, out["accepted_through"], 0)

	status, _ = post(t, do, signer, auth.Identity{Subject: "e", Role: auth.Driver}, fixes(early, n-60_000))
	require.Equal(t, 202, status, "another driver's sequences are its own")
	for range 2 {
		for _, seq := range []int64{n, n + 1} {
			body := strings.Replace(fixes(early, seq), "{", `{"driver_id":"f",`, 1)
			status, out = post(t, do, signer, importer, body)
			require.Equal(t, 202, status, "an importer may send its file again: %v", out)
		}
	}
}

// Two batches of a driver that are sent at the same time go to the stream one after the
// other, and their stamps tell which was first.
func TestBatchesOfOneDriverAreTakenInTheOrderOfTheirStamps(t *testing.T) {
	signer, stream := testSigner(t), &tape{}
	do := handler(t, signer, stream) // its own goroutines stay outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		under := 0
		stream.hold = func() {
			under++
			require.Equal(t, 1, under, "one at a time")
			time.Sleep(10 * time.Millisecond)
			under--
		}
		n := time.Now().UnixMilli()
		var wg sync.WaitGroup
		for range int64(20) {
			wg.Go(func() {
				status, _ := post(t, do, signer, auth.Identity{Subject: "d", Role: auth.Driver}, fixes(n, n, n+1))
				require.Equal(t, 202, status)
			})
		}
		wg.Wait()

		require.Len(t, stream.points, 40)
		for i := 2; i < len(stream.points); i += 2 {
			require.Equal(t, stream.points[i].Taken, stream.points[i+1].Taken, "one stamp a batch")
			require.Greater(t, stream.points[i].Taken, stream.points[i-1].Taken)
		}
	})
}

// A batch that waits for the one before it waits as long as for the stream.
func TestABatchThatGetsNoTurnIsSentAgain(t *testing.T) {
	signer, stream := testSigner(t), &tape{}
	do := handler(t, signer, stream) // its own goroutines stay outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		first := true
		stream.hold = func() {
			if first {
				first = false
				time.Sleep(time.Hour)
			}
		}
		n := time.Now().UnixMilli()
		d := auth.Identity{Subject: "d", Role: auth.Driver}
		holding := request(t, signer, d, fixes(n, n))
		go do(holding)
		synctest.Wait()

		status, out := post(t, do, signer, d, fixes(n, n+1))

		require.Equal(t, http.StatusServiceUnavailable, status)
		require.InDelta(t, n+1, out["resend_from"], 0)
		require.InDelta(t, 0, out["accepted_through"], 0)
		time.Sleep(time.Hour)
	})
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	for i := range maxDrivers + 100 {
		d, done, err := m.take(t.Context(), fmt.Sprint(i))
		require.NoError(t, err)
		require.Zero(t, d.first)
		d.note(1, time.Now())
		done()
	}
	require.Equal(t, maxDrivers, m.drivers.Len())
}

func TestPlacesThatNoCarIsAtAreRefused(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(ms int64, lat, lon float64) point {
		return point{Seq: now.UnixMilli() + ms, At: now.UnixMilli() + ms, Lat: &lat, Lon: &lon}
	}
	for name, c := range map[string]struct {
		points  []point
		refused []int // indexes
	}{
		"0,0":                      {[]point{at(0, 0, 0), at(1000, -34.9, -56.2)}, []int{0}},
		"on the equator":           {[]point{at(0, 0, -56.2)}, nil},
		"1.1 km in a second":       {[]point{at(0, -34.9, -56.2), at(1000, -34.91, -56.2), at(2000, -34.9001, -56.2)}, []int{1}},
		"1.1 km in 12 seconds":     {[]point{at(0, -34.9, -56.2), at(12_000, -34.91, -56.2)}, nil},
		"a jitter within a moment": {[]point{at(0, -34.9, -56.2), at(1, -34.9005, -56.2)}, nil},
		"across the date line":     {[]point{at(0, -17, 179.9999), at(1000, -17, -179.9999)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			good, refused := check("d", c.points, bounds{now: now})
			var got []int
			for _, r := range refused {
				require.Equal(t, "lat", r.Field)
				got = append(got, r.Index)
			}
			require.Equal(t, c.refused, got)
			require.Len(t, good, len(c.points)-len(c.refused))
		})
	}
}

// A sequence is the fix time, or a little above it: history has a partition for
// each day of sequences.
func TestASequenceFarFromItsFixTimeIsRefused(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	one := 1.0
	for name, c := range map[string]struct {
		at, seq  time.Time
		recorded bool
		good     bool
	}{
		"the fix time":                    {now, now, false, true},
		"below the fix time":              {now, now.Add(-time.Millisecond), false, false},
		"of 1970":                         {now, time.UnixMilli(1), false, false},
		"the clock was set back":          {now.Add(-time.Hour), now, false, true},
		"recorded, below":                 {now, now.AddDate(-1, 0, 0), true, false},
		"recorded, a day above":           {now.AddDate(-1, 0, 0), now.AddDate(-1, 0, 1), true, true},
		"recorded, more than a day above": {now.AddDate(-1, 0, 0), now.AddDate(-1, 0, 2), true, false},
	} {
		p := point{Seq: c.seq.UnixMilli(), At: c.at.UnixMilli(), Lat: &one, Lon: &one}
		good, refused := check("d", []point{p}, bounds{now: now, recorded: c.recorded})
		require.Len(t, good, map[bool]int{true: 1}[c.good], name)
		for _, r := range refused {
			require.Equal(t, "seq", r.Field, name)
		}
	}
}
