package mapfeed

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/geo"
)

// looking is a client without a socket: tests offer and take.
func looking(view geo.Box) *client {
	return &client{wake: make(chan struct{}, 1), texts: make(chan []byte, 8), knows: map[string]bool{}, viewed: true, fresh: true, view: view}
}

var (
	everywhere = geo.Box{West: -180, South: -90, East: 180, North: 90}
	here       = geo.Box{West: -57, South: -35, East: -56, North: -34}
)

// Each driver sends once a second, in its own quarter of it, and the client takes
// one frame a second: it hears of every driver, not of those in the last quarter.
func TestASlowClientMissesNoVehicle(t *testing.T) {
	w := newWorld([]byte("k"))
	now := time.UnixMilli(1_800_000_000_000)
	w.now = func() time.Time { return now }
	c := looking(everywhere)
	last := map[uint32]int64{}
	take := func() {
		_, vehicles := decodeFrame(t, c.take(now))
		for _, v := range vehicles {
			require.Greater(t, v.at, last[v.id], "never an older point after a newer")
			last[v.id] = v.at
		}
	}

	for second := range 30 {
		for quarter := range 4 {
			for d := range 10 {
				w.apply(point(fmt.Sprint(quarter, "-", d), now.UnixMilli(), -34.5, -56.5), now)
			}
			r := round{now: now}
			r.moved, r.all, r.newNumbers = w.look(0)
			r.newNumbers = false // the world's first epoch is none that begins
			c.offer(r)
			if second == 0 {
				take()
			}
			now = now.Add(250 * time.Millisecond)
		}
		if second > 0 {
			take()
		}
	}

	require.Len(t, last, 40)
	for id, at := range last {
		require.LessOrEqual(t, now.UnixMilli()-at, int64(1000), "vehicle %d", id)
	}
}

func TestAFrameOfEverythingStaysOneUntilItIsTaken(t *testing.T) {
	a, b := vehicle{id: 1, point: point("a", 1, -34.5, -56.5)}, vehicle{id: 2, point: point("b", 1, -34.6, -56.5)}
	outside := vehicle{id: 3, point: point("c", 1, 0, 0)}
	later := vehicle{id: 1, point: point("a", 2, -34.51, -56.5)}
	c := looking(here)
	now := time.Now()

	c.offer(round{all: []vehicle{a, b, outside}, now: now})
	c.offer(round{moved: []vehicle{later}, all: []vehicle{later, b, outside}, now: now})

	kind, got := decodeFrame(t, c.take(now))
	require.Equal(t, byte(kindAll), kind)
	require.Len(t, got, 2)
	require.Equal(t, int64(2), got[0].at)
	require.Nil(t, c.take(now), "it was taken")
}

// A car that leaves the view while its point waits is not left where it was.
func TestAWaitingVehicleThatLeavesTheViewIsToldOf(t *testing.T) {
	c := looking(here)
	now := time.Now()
	c.offer(round{now: now})
	c.take(now)

	c.offer(round{moved: []vehicle{{id: 1, point: point("a", 1, -34.5, -56.01)}, {id: 2, point: point("b", 1, 0, 0)}}, now: now})
	c.offer(round{moved: []vehicle{{id: 1, point: point("a", 2, -34.5, -55.99)}, {id: 2, point: point("b", 2, 0, 0)}}, now: now})

	kind, got := decodeFrame(t, c.take(now))
	require.Equal(t, byte(kindMoved), kind)
	require.Len(t, got, 1)
	require.Equal(t, int64(2), got[0].at)
}

// Unknown is never zero, and silence of the stream is told.
func TestAFrameTellsHowFarBehindItIs(t *testing.T) {
	now := time.Now()
	behind := func(b []byte) uint32 { return binary.LittleEndian.Uint32(b[4:]) }
	c := looking(here)

	c.offer(round{now: now, behind: 1500 * time.Millisecond})
	require.EqualValues(t, 1700, behind(c.take(now.Add(200*time.Millisecond))), "and as long as it waited")

	c.offer(round{now: now.Add(250 * time.Millisecond), behind: -1})
	require.Nil(t, c.take(now), "nothing moved")
	now = now.Add(aliveEvery)
	c.offer(round{now: now, behind: -1})
	frame := c.take(now)
	require.EqualValues(t, unknownMS, behind(frame), "nobody knows")
	_, vehicles := decodeFrame(t, frame)
	require.Empty(t, vehicles)

	require.EqualValues(t, unknownMS-1, millis(200*365*24*time.Hour))
}
