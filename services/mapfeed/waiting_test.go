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
	return &client{wake: make(chan struct{}, 1), texts: make(chan []byte, 8), viewed: true, fresh: true, view: viewOf(view)}
}

// taken is the binary frame that waits; nil: none.
func taken(c *client, now time.Time) []byte {
	b, _ := c.take(nil, now)
	return b
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
		_, vehicles := decodeFrame(t, taken(c, now))
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
			r := w.look(0, c.wantsAll())
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
	a, b := &vehicle{id: 1, point: point("a", 1, -34.5, -56.5)}, &vehicle{id: 2, point: point("b", 1, -34.6, -56.5)}
	outside := &vehicle{id: 3, point: point("c", 1, 0, 0)}
	later := &vehicle{id: 1, point: point("a", 2, -34.51, -56.5)}
	c := looking(here)
	now := time.Now()

	c.offer(roundOf(now, nil, a, b, outside))
	c.offer(roundOf(now, []*vehicle{later}))

	kind, got := decodeFrame(t, taken(c, now))
	require.Equal(t, byte(kindAll), kind)
	require.Len(t, got, 2)
	require.ElementsMatch(t, []int64{1, 2}, []int64{got[0].at, got[1].at})
	require.Nil(t, taken(c, now), "it was taken")
}

// roundOf tells of vehicles that moved, and where all are given of all.
func roundOf(now time.Time, moved []*vehicle, all ...*vehicle) round {
	r := round{now: now, moved: place(moved, now)}
	if all != nil {
		r.all = place(all, now)
	}
	return r
}

// A client that takes nothing is not told every step, and costs a bounded number of
// rounds: it is told everything in its view instead.
func TestAClientFarBehindIsToldEverythingAnew(t *testing.T) {
	c := looking(here)
	now := time.Now()
	c.offer(roundOf(now, nil, &vehicle{id: 1, point: point("a", 1, -34.5, -56.5)}))
	seq := int64(1)
	for ; !c.wantsAll(); seq++ {
		require.LessOrEqual(t, len(c.waits.rounds), maxWaiting)
		c.offer(roundOf(now, []*vehicle{{id: 1, point: point("a", seq+1, -34.5, -56.5)}}))
	}
	require.Greater(t, seq, int64(maxWaiting))
	require.Nil(t, taken(c, now), "a step of before the gap would be older than what comes")

	c.offer(roundOf(now, nil))
	require.Nil(t, taken(c, now), "that round was begun before it asked for all")
	c.offer(roundOf(now, nil, &vehicle{id: 1, point: point("a", seq, -34.5, -56.5)}))
	kind, got := decodeFrame(t, taken(c, now))
	require.Equal(t, byte(kindAll), kind)
	require.Equal(t, seq, got[0].at)
}

// A car that leaves the view while its point waits is not left where it was.
func TestAWaitingVehicleThatLeavesTheViewIsToldOf(t *testing.T) {
	c := looking(here)
	now := time.Now()
	c.offer(roundOf(now, nil, []*vehicle{}...))
	c.fresh = false
	taken(c, now)

	c.offer(roundOf(now, []*vehicle{{id: 1, point: point("a", 1, -34.5, -56.01)}, {id: 2, point: point("b", 1, 0, 0)}}))
	c.offer(roundOf(now, []*vehicle{{id: 1, point: point("a", 2, -34.5, -55.99)}, {id: 2, point: point("b", 2, 0, 0)}}))

	kind, got := decodeFrame(t, taken(c, now))
	require.Equal(t, byte(kindMoved), kind)
	require.Len(t, got, 1)
	require.Equal(t, int64(2), got[0].at)
}

// Unknown is never zero, and silence of the stream is told.
func TestAFrameTellsHowFarBehindItIs(t *testing.T) {
	now := time.Now()
	behind := func(b []byte) uint32 { return binary.LittleEndian.Uint32(b[4:]) }
	nothing := func(now time.Time, behind time.Duration) round {
		return round{now: now, behind: behind, moved: place(nil, now), all: place(nil, now)}
	}
	c := looking(here)

	c.offer(nothing(now, 1500*time.Millisecond))
	require.EqualValues(t, 1700, behind(taken(c, now.Add(200*time.Millisecond))), "and as long as it waited")

	c.offer(nothing(now.Add(250*time.Millisecond), -1))
	require.Nil(t, taken(c, now.Add(250*time.Millisecond)), "nothing moved")
	now = now.Add(200*time.Millisecond + aliveEvery)
	c.offer(nothing(now, -1))
	frame := taken(c, now)
	require.EqualValues(t, unknownMS, behind(frame), "nobody knows")
	_, vehicles := decodeFrame(t, frame)
	require.Empty(t, vehicles)

	require.EqualValues(t, unknownMS-1, millis(200*365*24*time.Hour))
}

// An age is what it is when the client takes the frame, although the vehicle was
// encoded before.
func TestAnAgeGrowsWhileTheFrameWaits(t *testing.T) {
	now := time.Now()
	age := func(b []byte) uint32 { return binary.LittleEndian.Uint32(b[headBytes+ageAt:]) }
	v := &vehicle{id: 1, point: point("a", 1, -34.5, -56.5), arrived: now.Add(-time.Second)}
	c, other := looking(here), looking(here)
	r := roundOf(now, nil, v)
	c.offer(r)
	other.offer(r)
	require.EqualValues(t, 1300, age(taken(c, now.Add(300*time.Millisecond))))
	require.EqualValues(t, 1000, age(taken(other, now)), "the round itself is not changed")

	v.arrived = now
	c.offer(roundOf(now, []*vehicle{{id: 2, point: point("b", 1, -34.5, -56.5), arrived: now}}))
	c.offer(roundOf(now.Add(100*time.Millisecond), []*vehicle{v}))
	b := taken(c, now.Add(300*time.Millisecond))
	require.EqualValues(t, 300, binary.LittleEndian.Uint32(b[headBytes+ageAt:]))
	require.EqualValues(t, 300, binary.LittleEndian.Uint32(b[headBytes+vehicleBytes+ageAt:]))
}
