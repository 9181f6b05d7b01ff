package mapfeed

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/problem"
)

const (
	lookEvery  = time.Second
	youngFor   = 10 * time.Second // a ride is chosen while its message is new
	shownAfter = 8 * time.Second  // its end stays for the page to show
	shownFor   = 15 * time.Minute
)

// shown follows one ride for everybody who has not signed in: what a ride is, as a
// newcomer may see it. It is a ride of a simulated rider by a simulated driver, and
// told without its id, its ends, its price and its people's names: nobody is followed.
// However many look, booking is asked by one stream, and by none while nobody looks.
type shown struct {
	feed *feed

	mu      sync.Mutex
	clients map[*client]struct{}
	stop    context.CancelFunc // nil: nobody looks
	ride    shownRide
	driver  string // while its car is shown
}

// shownRide is what clients are told of it, as a whole each time.
type shownRide struct {
	N       int          `json:"n"` // of those that were shown, so that one is told from the next
	Events  []shownEvent `json:"events"`
	Vehicle *uint32      `json:"vehicle"` // its car's number on the map; null: it has none
}

// shownEvent is an event of it. Of its details a page is told those of processes.
type shownEvent struct {
	Kind string    `json:"kind"`
	At   time.Time `json:"at"`
	PID  int       `json:"pid,omitempty"` // the worker's that received its message
	Try  int       `json:"try,omitempty"` // for which time
}

// join tells the client of the ride from now on.
func (s *shown) join(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.clients[c] = struct{}{}
	if s.ride.N > 0 {
		c.send(s.frame())
	}
	if s.stop != nil {
		return
	}

	// Its own context: the one who asked first may leave first.
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.follow(ctx)
}

func (s *shown) leave(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()

	delete(s.clients, c)
	if len(s.clients) == 0 && s.stop != nil {
		s.stop()
		s.stop = nil
		s.ride, s.driver = shownRide{N: s.ride.N}, ""
	}
}

// tell tells all who look; mu is held.
func (s *shown) tell() {
	for c := range s.clients {
		c.send(s.frame())
	}
}

// renumber tells the car's new number when all numbers have changed.
func (s *shown) renumber() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.driver != "" {
		s.tell()
	}
}

func (s *shown) frame() map[string]any {
	ride := s.ride
	ride.Events = append([]shownEvent{}, ride.Events...) // its own, and never null
	if s.driver != "" {
		number := s.feed.world.vehicleOf(s.driver)
		ride.Vehicle = &number
	}
	return map[string]any{"type": "shown_ride", "ride": ride}
}

// follow shows one ride after the other until ctx ends.
func (s *shown) follow(ctx context.Context) {
	booking := s.feed.booking.As(httpclient.Signed(s.feed.cfg.Auth, auth.Identity{Subject: name, Role: auth.Service}))
	for ctx.Err() == nil {
		if id := youngRide(ctx, booking); id != "" {
			s.show(ctx, booking, id)
		}
		pause(ctx, lookEvery)
	}
}

// youngRide returns the shortest of the simulated riders' rides that were just booked;
// "" where there is none.
func youngRide(ctx context.Context, booking *httpclient.Client) string {
	var page struct {
		Rides []struct {
			ID          string    `json:"id"`
			State       string    `json:"state"`
			RiderID     string    `json:"rider_id"`
			DistanceM   int64     `json:"distance_m"`
			RequestedAt time.Time `json:"requested_at"`
		} `json:"rides"`
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if booking.Get(ctx, "/v1/rides?limit=50", &page) != nil {
		return "" // booking is away: it is asked again
	}

	best, shortest := "", int64(0)
	for _, r := range page.Rides {
		waits := r.State == "requested" || r.State == "offered"
		if waits && auth.Simulated(r.RiderID) && time.Since(r.RequestedAt) < youngFor && (best == "" || r.DistanceM < shortest) {
			best, shortest = r.ID, r.DistanceM
		}
	}
	return best
}

// show tells one ride, until it has ended or may not be shown any more.
func (s *shown) show(ctx context.Context, booking *httpclient.Client, id string) {
	ctx, cancel := context.WithTimeout(ctx, shownFor)
	defer cancel()

	s.begin(ctx)
	defer s.end(ctx)
	last := ""
	for ctx.Err() == nil {
		for e, err := range booking.Events(ctx, "/v1/rides/"+id+"/events", last) {
			var refused *problem.Error
			if errors.As(err, &refused) && refused.Code != problem.Unavailable {
				return
			}
			if err != nil {
				break
			}
			last = e.ID
			if over := s.note(ctx, e.Data); over {
				pause(ctx, shownAfter)
				return
			}
		}
		pause(ctx, reconnectIn)
	}
}

func (s *shown) begin(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return // somebody else may be showing the next already
	}
	s.ride, s.driver = shownRide{N: s.ride.N + 1, Events: []shownEvent{}}, ""
}

func (s *shown) end(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() == nil {
		s.driver = ""
	}
}

// note tells one event, and reports whether the ride is over for who looks.
func (s *shown) note(ctx context.Context, data []byte) (over bool) {
	var e struct {
		Kind string    `json:"kind"`
		At   time.Time `json:"at"`
		Data struct {
			DriverID string `json:"driver_id"`
			PID      int    `json:"pid"`
			Receives int    `json:"receives"`
		} `json:"data"`
	}
	if json.Unmarshal(data, &e) != nil || ctx.Err() != nil {
		return false
	}

	s.mu.Lock()
	defer s.mu.Unlock()

	one := shownEvent{Kind: e.Kind, At: e.At}
	switch e.Kind {
	case "received":
		one.PID, one.Try = e.Data.PID, e.Data.Receives
	case "assigned":
		// A person who drives is followed by nobody: this ride is not shown on.
		if !auth.Simulated(e.Data.DriverID) {
			return true
		}
		s.driver = e.Data.DriverID
	case "requested", "queued", "offered", "refused", "offer_expired", "deleted", "arrived", "picked_up":
	case "requeued":
		s.driver = "" // it may have lost its driver
	case "completed", "ended", "cancelled", "unfulfilled":
		s.driver, over = "", true
	default:
		return false // what else there will be is not for everybody until somebody says so
	}

	s.ride.Events = append(s.ride.Events, one)
	s.tell()
	return over
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
