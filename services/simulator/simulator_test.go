package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
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
	"tandem/services/internal/ledger"
	"tandem/services/internal/lifecycle"
)

func TestTheSameSeedGivesTheSameTrips(t *testing.T) {
	streets, err := city.Load()
	require.NoError(t, err)
	trips := func(seed uint64) (out []trip) {
		s := &sim{cfg: Config{Seed: seed, RidersPerMinute: 20}, city: streets}
		for n := range 60 {
			out = append(out, s.trip(n))
		}
		return out
	}
	first := trips(7)
	require.Equal(t, first, trips(7))
	require.NotEqual(t, first, trips(8))
	long := 0
	for _, tr := range first {
		d := geo.Distance(tr.pickup.Point, tr.dropoff.Point)
		require.Greater(t, d, float64(shortestTripM))
		if d > longestTripM {
			long++
		}
		require.NotEmpty(t, tr.pickup.Label)
	}
	require.LessOrEqual(t, long, 3, "only from the outskirts")
}

func TestMoreRidersComeInARush(t *testing.T) {
	s := &sim{cfg: Config{RidersPerMinute: 30, Rush: Rush{After: time.Minute, For: time.Minute, RidersPerMinute: 300}}}
	for at, want := range map[time.Duration]time.Duration{
		0: 2 * time.Second, time.Minute - 1: 2 * time.Second, time.Minute: 200 * time.Millisecond,
		2*time.Minute - 1: 200 * time.Millisecond, 2 * time.Minute: 2 * time.Second,
	} {
		require.Equal(t, want, s.wait(trip{gap: 1}, at), "at %s", at)
	}
}

// tandem is as much of the API as one driver and one rider need: what is booked
// is offered to the driver until it accepts.
type tandem struct {
	mu     sync.Mutex
	ride   *client.Ride
	offers int
	did    []string
	seqs   []int64
	keys   []string
}

func (f *tandem) state() client.DriverState {
	st := client.DriverState{DriverID: "d", OnDuty: true}
	switch {
	case f.ride == nil || f.ride.Terminal():
	case f.ride.State == client.Requested:
		st.Offer = &client.Offer{ID: fmt.Sprint("offer-", f.offers), Ride: *f.ride}
	default:
		st.Ride = f.ride
	}
	return st
}

func (f *tandem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answer := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	advance := func(kind, to string) {
		f.did = append(f.did, kind)
		f.ride.State = to
		answer(http.StatusOK, f.ride)
	}
	path := r.URL.Path
	switch {
	case path == "/v1/tokens":
		answer(http.StatusOK, map[string]any{"token": "t", "expires_at": time.Now().Add(time.Hour).UnixMilli()})
	case strings.HasSuffix(path, "/last"):
		answer(http.StatusOK, map[string]any{"seq": 4e12})
	case path == "/v1/points":
		var in struct{ Points []client.Point }
		_ = json.NewDecoder(r.Body).Decode(&in)
		for _, p := range in.Points {
			f.seqs = append(f.seqs, p.Seq)
		}
		answer(http.StatusAccepted, map[string]any{"accepted": len(in.Points), "accepted_through": in.Points[len(in.Points)-1].Seq})
	case path == "/v1/rides" && r.Method == http.MethodPost:
		f.keys = append(f.keys, r.Header.Get("Idempotency-Key"))
		var b client.Booking
		_ = json.NewDecoder(r.Body).Decode(&b)
		if f.ride == nil {
			f.ride = &client.Ride{ID: "r", State: client.Requested, Pickup: b.Pickup, Dropoff: b.Dropoff, RequestedAt: time.Now()}
		}
		answer(http.StatusCreated, f.ride)
	case path == "/v1/drivers/me/events":
		b, _ := json.Marshal(f.state())
		_, _ = fmt.Fprintf(w, "event: state\ndata: %s\n\n", b)
	case strings.HasSuffix(path, "/accept"):
		advance("accept", client.Assigned)
	case strings.HasSuffix(path, "/refuse"):
		f.did, f.offers = append(f.did, "refuse"), f.offers+1
		answer(http.StatusOK, f.ride)
	case strings.HasSuffix(path, "/arrive"):
		advance("arrive", client.Arrived)
	case strings.HasSuffix(path, "/pick-up"):
		advance("pick-up", client.PickedUp)
	case strings.HasSuffix(path, "/drop-off"):
		advance("drop-off", client.Completed)
	case strings.HasPrefix(path, "/v1/rides/"):
		answer(http.StatusOK, f.ride)
	default:
		answer(http.StatusOK, f.state())
	}
}

func TestADriverServesARiderAndTheLedgerKeepsWhatWasPromised(t *testing.T) {
	fake := &tandem{}
	srv := httptest.NewServer(fake)
	defer srv.Close()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}, Config{
			GatewayURL: srv.URL, OperatorKey: "k", Drivers: 1, RidersPerMinute: 60, Speed: 400, Seed: 3, RunID: "run-1", LedgerPath: path,
		})
	}()
	require.Eventually(t, func() bool {
		fake.mu.Lock()
		defer fake.mu.Unlock()
		return slices.Contains(fake.did, "drop-off")
	}, time.Minute, 50*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)

	did := slices.DeleteFunc(slices.Clone(fake.did), func(s string) bool { return s == "refuse" })
	require.Equal(t, []string{"accept", "arrive", "pick-up", "drop-off"}, did[:4])
	require.Greater(t, fake.seqs[0], int64(4e12), "it goes on above what history has")
	require.True(t, slices.IsSorted(fake.seqs))
	require.True(t, strings.HasPrefix(fake.keys[0], "run-1-"), "keys carry the run's id")
	var promised, rides int
	require.NoError(t, ledger.Read(path, func(e client.Entry) error {
		if e.Points != nil {
			promised += len(e.Points.Promised())
		} else {
			rides++
		}
		return nil
	}))
	require.InDelta(t, len(fake.seqs), promised, 1, "each answer stands in the ledger")
	require.Positive(t, rides)
}
