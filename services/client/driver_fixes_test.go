package client_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/geo"
)

func (g *gateway) fixes() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.seqs)
}

func TestADriverThatStandsSendsFewFixesAndAsksForItsState(t *testing.T) {
	g := drive(t, client.Policy{StillEvery: time.Hour, AskEvery: time.Millisecond}, nil)
	require.Eventually(t, func() bool { return len(g.done()) > 5 }, patience, look)
	require.Equal(t, 1, g.fixes(), "where it stands, once")
	require.Equal(t, []string{"duty", "me", "me"}, g.done()[:3])
}

// slowDown has points answered only once answer is called.
func (g *gateway) slowDown(t *testing.T) (answer func()) {
	slow := make(chan struct{})
	answer = sync.OnceFunc(func() { close(slow) })
	t.Cleanup(answer) // before the driver's own, which waits for it
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slow, g.batches = slow, nil
	return answer
}

// A fix that arrives after its driver went off duty would tell where it is.
func TestADriverGoesOffDutyWhenItsFixesHaveArrived(t *testing.T) {
	ends := make(chan client.Ride, 1)
	g := drive(t, client.Policy{AskEvery: time.Millisecond, Break: func(rides int) time.Duration { return time.Duration(rides) * time.Hour }}, func(r client.Ride) { ends <- r })
	answer := g.slowDown(t)
	g.offer(offer("first"))
	<-ends

	asked := len(g.done())
	require.Eventually(t, func() bool { return len(g.done()) > asked+5 }, patience, look, "it looks at its state in each step")
	require.NotContains(t, g.done()[1:], "duty", "it waits for its fixes")
	answer()
	require.Eventually(t, func() bool { return slices.Contains(g.done()[1:], "duty") }, patience, look)
	g.mu.Lock()
	defer g.mu.Unlock()
	require.Zero(t, g.offDuty)
}

// While Tandem is slow the car drives on and its ride is served; what piled up goes
// in one batch, and no fix is missing.
func TestADriverDoesNotWaitForItsPoints(t *testing.T) {
	ends := make(chan client.Ride, 1)
	g := drive(t, client.Policy{}, func(r client.Ride) { ends <- r })
	answer := g.slowDown(t)

	g.offer(offer("first"))
	select {
	case r := <-ends:
		require.Equal(t, client.Completed, r.State)
	case <-time.After(patience):
		t.Fatal("the ride did not end: ", g.done())
	}
	before := g.fixes()
	answer()
	require.Eventually(t, func() bool { return g.fixes() > before+10 }, patience, look)
	g.mu.Lock()
	defer g.mu.Unlock()
	require.Greater(t, g.batches[1], 5, "the second request carries what piled up during the first: %v", g.batches)
	require.True(t, slices.IsSorted(g.seqs))
}

func TestADriverThatCruisesSendsAFixAStep(t *testing.T) {
	north := false
	g := drive(t, client.Policy{StillEvery: time.Hour, Cruise: func() geo.Point {
		north = !north
		if north {
			return geo.Point{Lat: -34.9, Lon: -56.2}
		}
		return geo.Point{Lat: -34.91, Lon: -56.2}
	}}, nil)
	require.Eventually(t, func() bool { return g.fixes() > 20 }, patience, look)
	require.Equal(t, []string{"duty"}, g.done())
}
