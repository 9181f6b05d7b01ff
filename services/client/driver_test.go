package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// noStreets lets drivers go as the crow flies.
type noStreets struct{}

func (noStreets) Route(_, _ geo.Point) (city.Route, error) {
	return city.Route{}, errors.New("no street")
}

// gateway is as much of the API as a driver needs. It notes what the driver
// does, and sends it each change of its state.
type gateway struct {
	mu    sync.Mutex
	hear  func(client.DriverState)
	car   *client.Driver
	state client.DriverState
	gone  map[string]client.Offer // offers that are accepted too late, and the next one
	did   []string
	seqs  []int64

	offDuty int // fixes that came while the driver was off duty

	slow    chan struct{} // when set, points are answered once it is closed
	batches []int         // the points of each request
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	if slow := g.slow; slow != nil && strings.HasSuffix(r.URL.Path, "/points") {
		g.mu.Unlock()
		<-slow
		g.mu.Lock()
	}
	defer g.mu.Unlock()
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	ride := func(to string) {
		g.state.Ride.State = to
		answer(g.state.Ride)
		if g.state.Ride.Terminal() {
			g.state.Ride = nil
		}
	}

	last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch last {
	case "last":
		answer(map[string]any{"seq": int64(4e12)})
		return
	case "points":
		var in struct{ Points []client.Point }
		_ = json.NewDecoder(r.Body).Decode(&in)
		g.batches = append(g.batches, len(in.Points))
		if !g.state.OnDuty {
			g.offDuty += len(in.Points)
		}
		for _, p := range in.Points {
			g.seqs = append(g.seqs, p.Seq)
		}
		w.WriteHeader(http.StatusAccepted)
		answer(map[string]any{"accepted": len(in.Points), "accepted_through": g.seqs[len(g.seqs)-1]})
		return
	}

	g.did = append(g.did, last)
	switch last {
	case "duty":
		var in struct {
			OnDuty bool `json:"on_duty"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		g.state.DriverID, g.state.OnDuty = "d", in.OnDuty
		answer(g.state)
	case "me":
		answer(g.state)
	case "refuse":
		g.state.Offer = nil
		answer(struct{}{})
	case "accept":
		if next, late := g.gone[g.state.Offer.ID]; late {
			g.state.Offer = &next
			refuse(w, problem.New(problem.Gone, "it was taken"))
			return
		}
		g.state.Ride, g.state.Offer = &g.state.Offer.Ride, nil
		ride(client.Assigned)
	case "arrive":
		ride(client.Arrived)
	case "pick-up":
		ride(client.PickedUp)
	case "drop-off":
		ride(client.Completed)
	}
}

// offer tells the driver of a ride.
func (g *gateway) offer(o client.Offer) {
	g.mu.Lock()
	g.state.Offer = &o
	st := g.state
	g.mu.Unlock()
	g.hear(st)
}

func (g *gateway) done() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.did)
}

// drive starts a driver of the policy, who goes on until the test ends.
func drive(t *testing.T, p client.Policy, onEnd func(client.Ride)) *gateway {
	t.Helper()
	g := &gateway{gone: map[string]client.Offer{}}
	p.Speed = 500
	d := client.NewDriver(tandem(t, g.ServeHTTP).As(auth.Driver, "d"), noStreets{}, geo.Point{Lat: -34.9, Lon: -56.2}, p)
	d.StepEvery(5 * time.Millisecond)
	d.OnEnd = onEnd
	g.hear, g.car = d.Hear, d
	require.NoError(t, d.Start(t.Context()))

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { d.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return g
}

func offer(id string) client.Offer {
	return client.Offer{ID: id, Ride: client.Ride{
		ID: "r", Pickup: client.Place{Point: geo.Point{Lat: -34.91, Lon: -56.2}}, Dropoff: client.Place{Point: geo.Point{Lat: -34.92, Lon: -56.2}},
	}}
}

const patience, look = 20 * time.Second, 5 * time.Millisecond

func TestADriverServesTheNextOfferWhenOneWasTaken(t *testing.T) {
	ends := make(chan client.Ride, 1)
	g := drive(t, client.Policy{}, func(r client.Ride) { ends <- r })
	g.gone["first"] = offer("second")

	g.offer(offer("first"))
	select {
	case r := <-ends:
		require.Equal(t, client.Completed, r.State)
	case <-time.After(patience):
		t.Fatal("the ride did not end: ", g.done())
	}

	require.Equal(t, []string{"duty", "accept", "me", "accept", "arrive", "pick-up", "drop-off"}, g.done())
	g.mu.Lock()
	defer g.mu.Unlock()
	require.Greater(t, g.seqs[0], int64(4e12), "it goes on above what history has")
	require.True(t, slices.IsSorted(g.seqs))
}

func TestADriverKeepsToItsPolicy(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	ask := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, what)
	}
	refuses := true
	g := drive(t, client.Policy{
		Think:  func(client.Offer) time.Duration { ask("think"); return 20 * time.Millisecond },
		Refuse: func(client.Offer) bool { ask("refuse"); defer func() { refuses = false }(); return refuses },
		Board:  func() time.Duration { ask("board"); return 20 * time.Millisecond },
		Break: func(rides int) time.Duration {
			if rides < 1 {
				return 0
			}
			ask("break")
			return 200 * time.Millisecond
		},
	}, nil)
	did := func(want ...string) {
		t.Helper()
		require.Eventually(t, func() bool { return slices.Equal(want, g.done()) }, patience, look, "%v", g.done())
	}

	g.offer(offer("first"))
	did("duty", "refuse")
	g.offer(offer("second"))
	did("duty", "refuse", "accept", "arrive", "pick-up", "drop-off", "duty", "duty")

	g.mu.Lock()
	defer g.mu.Unlock()
	require.True(t, g.state.OnDuty, "the break is over")
	require.Zero(t, g.offDuty, "on a break it tells nobody where it is")
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []string{"think", "refuse", "think", "refuse", "board", "break"}, asked)
}

func TestARetiringDriverFinishesItsRideAndTakesNoOther(t *testing.T) {
	boarding := make(chan struct{}, 1)
	ends := make(chan client.Ride, 1)
	g := drive(t, client.Policy{Board: func() time.Duration { boarding <- struct{}{}; return 50 * time.Millisecond }}, func(r client.Ride) { ends <- r })

	// It retires while it waits for its rider, who comes later.
	g.offer(offer("first"))
	<-boarding
	g.car.Retire()
	select {
	case <-g.car.Retired():
	case <-time.After(patience):
		t.Fatal("it did not retire: ", g.done())
	}
	require.Equal(t, client.Completed, (<-ends).State)
	require.Equal(t, []string{"duty", "accept", "arrive", "pick-up", "drop-off", "duty"}, g.done())

	// An offer that was under way is refused.
	g.offer(offer("second"))
	require.Eventually(t, func() bool { return g.done()[len(g.done())-1] == "refuse" }, patience, look, "%v", g.done())
	g.mu.Lock()
	defer g.mu.Unlock()
	require.False(t, g.state.OnDuty)
	require.Zero(t, g.offDuty, "off duty it tells nobody where it is")
}
