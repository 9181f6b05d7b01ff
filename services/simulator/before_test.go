package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/internal/lifecycle"
)

// earlier is an API with rides that drivers of an earlier run have picked up. A
// token is its subject's name.
type earlier struct {
	mu    sync.Mutex
	rides map[string]*client.Ride // by driver
	last  map[string]time.Time
	did   []string
}

func (e *earlier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	who, path := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.URL.Path
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	ride := e.rides[who]

	switch {
	case path == "/v1/tokens":
		var in struct{ Subject string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		answer(map[string]any{"token": in.Subject, "expires_at": time.Now().Add(time.Hour).UnixMilli()})
	case path == "/v1/rides":
		page := []*client.Ride{}
		for _, ride := range e.rides {
			if ride.State == r.URL.Query().Get("state") {
				page = append(page, ride)
			}
		}
		answer(map[string]any{"rides": page})
	case strings.HasSuffix(path, "/last"):
		answer(map[string]any{"seq": e.last[who].UnixMilli()})
	case path == "/v1/points":
		var in struct{ Points []client.Point }
		_ = json.NewDecoder(r.Body).Decode(&in)
		w.WriteHeader(http.StatusAccepted)
		answer(map[string]any{"accepted": len(in.Points), "accepted_through": in.Points[len(in.Points)-1].Seq})
	case strings.HasSuffix(path, "/drop-off"):
		e.did = append(e.did, "drop-off "+who)
		ride.State = client.Completed
		answer(ride)
	case path == "/v1/drivers/me/duty":
		var in struct {
			OnDuty bool `json:"on_duty"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		e.did = append(e.did, fmt.Sprint("duty ", in.OnDuty, " ", who))
		st := client.DriverState{DriverID: who, OnDuty: in.OnDuty}
		if ride != nil && !ride.Terminal() {
			st.Ride = ride
		}
		answer(st)
	default:
		http.Error(w, "nothing", http.StatusServiceUnavailable)
	}
}

// Of fewer drivers than before, or others, those who have a ride come back until it has ended.
func TestDriversOfAnEarlierRunFinishTheirRides(t *testing.T) {
	streets, err := city.Load()
	require.NoError(t, err)
	from := streets.RandomPlace((&sim{}).rng("test", 1), 19).Point
	ride := func(driver string) *client.Ride {
		return &client.Ride{ID: "r-" + driver, State: client.PickedUp, DriverID: driver, Pickup: client.Place{Point: from},
			Dropoff: client.Place{Point: geo.Point{Lat: from.Lat + 0.002, Lon: from.Lon}}}
	}

	api := &earlier{rides: map[string]*client.Ride{}, last: map[string]time.Time{"sim-8-d-0001": time.Now().Add(time.Hour)}}
	for _, driver := range []string{"sim-7-d-0009", "sim-6-d-0000", "sim-8-d-0001", "somebody"} {
		api.rides[driver] = ride(driver)
	}
	srv := httptest.NewServer(api)
	defer srv.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
			Config{GatewayURL: srv.URL, OperatorKey: "k", Drivers: 1, Speed: 400, Seed: 7})
	}()

	did := func(what string) bool {
		api.mu.Lock()
		defer api.mu.Unlock()
		return slices.Contains(api.did, what)
	}
	for _, driver := range []string{"sim-7-d-0009", "sim-6-d-0000"} {
		require.Eventually(t, func() bool { return did("drop-off "+driver) && did("duty false "+driver) }, time.Minute, 20*time.Millisecond, driver)
	}
	cancel()
	require.NoError(t, <-ended)
	require.False(t, did("duty true sim-8-d-0001"), "it sends: another simulator drives it")
	require.False(t, did("duty true somebody"), "no driver of a simulator")
}

// The first riders stand where a driver starts.
func TestWarmTripsBeginWhereADriverStarts(t *testing.T) {
	streets, err := city.Load()
	require.NoError(t, err)
	s := &sim{cfg: Config{Seed: 5, Drivers: 20, Speed: 1}, city: streets, api: client.New(client.Options{})}
	for n := range 5 {
		require.Less(t, geo.Distance(s.newDriver(n).Place(), s.warmTrip(n).pickup.Point), 5.0)
	}
}
