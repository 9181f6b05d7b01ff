package feed

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/event"
	"tandem/services/internal/ledger"
	"tandem/services/internal/problem"
)

// refusedLon is a longitude that the fake Tandem refuses, as location may for its
// own reasons.
const refusedLon = -56.191

// tandem answers what feed asks of Tandem's API, and keeps what it took.
type tandem struct {
	*httptest.Server
	mu     sync.Mutex
	points map[string][]client.Point
	rides  map[string]client.Ride // by key
	duty   map[string]bool        // who was ever on duty, and whether still
}

func newTandem(t *testing.T) *tandem {
	td := &tandem{points: map[string][]client.Point{}, rides: map[string]client.Ride{}, duty: map[string]bool{}}
	mux := http.NewServeMux()

	mux.HandleFunc("POST /v1/tokens", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"token": "t", "expires_at": time.Now().Add(time.Hour).UnixMilli()})
	})
	mux.HandleFunc("POST /v1/points", td.take)
	mux.HandleFunc("GET /v1/drivers/{id}/last", func(w http.ResponseWriter, r *http.Request) {
		td.mu.Lock()
		defer td.mu.Unlock()
		had := td.points[r.PathValue("id")]
		if len(had) == 0 {
			answer(w, http.StatusNotFound, problem.New(problem.NotFound, "no such driver"))
			return
		}
		answer(w, http.StatusOK, map[string]any{"seq": had[len(had)-1].Seq})
	})

	mux.HandleFunc("POST /v1/rides", td.book)
	mux.HandleFunc("PUT /v1/drivers/me/duty", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			DriverID string `json:"driver_id"`
			OnDuty   bool   `json:"on_duty"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		td.mu.Lock()
		defer td.mu.Unlock()
		td.duty[in.DriverID] = in.OnDuty
		answer(w, http.StatusOK, client.DriverState{DriverID: in.DriverID, OnDuty: in.OnDuty})
	})

	td.Server = httptest.NewServer(mux)
	t.Cleanup(td.Close)
	return td
}

func answer(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (td *tandem) take(w http.ResponseWriter, r *http.Request) {
	var in struct {
		DriverID string         `json:"driver_id"`
		Points   []client.Point `json:"points"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || !event.ValidID(in.DriverID) {
		answer(w, http.StatusUnprocessableEntity, problem.New(problem.Invalid, "not points"))
		return
	}

	td.mu.Lock()
	defer td.mu.Unlock()
	out := client.PointsAnswer{Refused: []client.Refused{}}
	for i, p := range in.Points {
		out.AcceptedThrough = p.Seq
		if p.Lon == refusedLon {
			out.Refused = append(out.Refused, client.Refused{Seq: p.Seq, Index: i, Field: "lon", Detail: "not here"})
			continue
		}
		td.points[in.DriverID] = append(td.points[in.DriverID], p)
	}
	answer(w, http.StatusAccepted, out)
}

// book ends every ride at once: who serves it is the business of client's tests.
func (td *tandem) book(w http.ResponseWriter, r *http.Request) {
	td.mu.Lock()
	defer td.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	ride, again := td.rides[key]
	if again {
		w.Header().Set("Idempotency-Replayed", "true")
	} else {
		ride = client.Ride{ID: "ride-" + key, State: client.Completed}
		td.rides[key] = ride
	}
	answer(w, http.StatusCreated, ride)
}

// stored counts distinct points, as history would.
func (td *tandem) stored() int {
	td.mu.Lock()
	defer td.mu.Unlock()
	n := 0
	for _, points := range td.points {
		seen := map[int64]bool{}
		for _, p := range points {
			seen[p.Seq] = true
		}
		n += len(seen)
	}
	return n
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func run(t *testing.T, td *tandem, cfg Config) (Summary, string, error) {
	t.Helper()
	var out bytes.Buffer
	cfg.GatewayURL, cfg.OperatorKey, cfg.Quiet = td.URL, "k", true
	s, err := Run(t.Context(), &out, cfg)
	return s, out.String(), err
}

func TestDriverIDsAreInjective(t *testing.T) {
	long := strings.Repeat("x", 50)
	for _, pair := range [][2]string{{"粤B12345", "京B12345"}, {"cab 7", "cab_7"}, {"cab 7", "cab.7"}, {long + "1", long + "2"}} {
		td := newTandem(t)
		path := write(t, "x.csv", "driver,time,lat,lon\n"+pair[0]+",2020-01-01 00:00:00,-34.9,-56.19\n"+pair[1]+",2020-01-01 00:00:00,-34.5,-56.5\n")

		s, _, err := run(t, td, Config{File: path})
		require.NoError(t, err)
		require.Equal(t, 2, s.Accepted)
		require.Len(t, td.points, 2, "%v: each driver is a car of its own", pair)
		require.Equal(t, 2, td.stored(), "%v", pair)
	}
}

const threePoints = "driver,time,lat,lon\na,2020-01-01 00:00:00,-34.9,-56.19\na,2020-01-01 00:00:05,-34.9001,-56.191\na,2020-01-01 00:00:10,-34.9002,-56.19\n"

func TestResumeBelongsToOneTandemsData(t *testing.T) {
	path, dir, before := write(t, "x.csv", threePoints), t.TempDir(), newTandem(t)
	_, _, err := run(t, before, Config{File: path, StateDir: dir})
	require.NoError(t, err)

	s, _, err := run(t, before, Config{File: path, StateDir: dir, Resume: true})
	require.NoError(t, err)
	require.Zero(t, s.Accepted, "all of it was sent before")
	require.Equal(t, [2]int{2, 1}, [2]int{s.Resumed, s.ResumedRefused}, "accepted and refused apart")

	// The same gateway, with an empty database.
	before.mu.Lock()
	clear(before.points)
	before.mu.Unlock()
	s, out, err := run(t, before, Config{File: path, StateDir: dir, Resume: true})
	require.NoError(t, err, out)
	require.Equal(t, 2, s.Accepted, out)
	require.Equal(t, 2, before.stored(), "accepted is stored: %s", out)
}

func TestTheLedgerHasWhatWasAccepted(t *testing.T) {
	td, path := newTandem(t), filepath.Join(t.TempDir(), "ledger.jsonl")
	_, _, err := run(t, td, Config{File: write(t, "x.csv", threePoints), LedgerPath: path})
	require.NoError(t, err)

	promised := 0
	require.NoError(t, ledger.Read(path, func(e client.Entry) error {
		require.Contains(t, td.points, e.Points.Driver, "as Tandem has it")
		promised += len(e.Points.Promised())
		return nil
	}))
	require.Equal(t, 2, promised)
	require.Equal(t, td.stored(), promised)
}

func TestNothingAcceptedIsAnError(t *testing.T) {
	td := newTandem(t)
	s, out, err := run(t, td, Config{File: write(t, "x.csv", "driver,time,lat,lon\na,2020-01-01 00:00:00,0,0\n"), JSON: true})
	require.ErrorIs(t, err, ErrNothing)
	require.Len(t, s.Refused, 1, out)

	_, out, err = run(t, td, Config{File: write(t, "y.csv", "driver,time,lat,lon\na,2020-01-01 00:00:00,-34.9,-56.19\n"), JSON: true})
	require.NoError(t, err)
	require.Contains(t, out, `"refused": []`)
}

const oneTrip = "pickup_time,pickup_lat,pickup_lon,dropoff_lat,dropoff_lon\n2013-03-01 08:40:00,-34.90,-56.19,-34.91,-56.18\n"

// The drivers of a feed that was stopped may still have rides.
func TestTheDriversOfTheFeedBeforeComeBack(t *testing.T) {
	td, dir := newTandem(t), t.TempDir()
	cfg := Config{File: write(t, "x.csv", oneTrip), StateDir: dir, Drivers: 3}
	s, _, err := run(t, td, cfg)
	require.NoError(t, err)
	require.Equal(t, 1, s.Ended[client.Completed])
	require.Zero(t, s.Repeated)
	require.Len(t, td.duty, 3)

	td.mu.Lock()
	clear(td.duty)
	td.mu.Unlock()
	cfg.Drivers = 1
	s, _, err = run(t, td, cfg)
	require.NoError(t, err)
	require.Equal(t, 1, s.Repeated, "the same trip is the same ride, as Tandem says")
	require.Len(t, td.duty, 3, "as many as before, not the one that was asked for")
	for id, on := range td.duty {
		require.False(t, on, "%s went off duty", id)
	}
}
