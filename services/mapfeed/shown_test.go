package mapfeed

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// bookingOf has some rides, newest first, and the events of each.
type bookingOf struct {
	rides  string
	events map[string][]string

	mu    sync.Mutex
	asked []string
	open  atomic.Int64
}

func (b *bookingOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/rides" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"rides":[%s]}`, b.rides)
		return
	}

	id := strings.Split(r.URL.Path, "/")[3]
	b.mu.Lock()
	b.asked = append(b.asked, id)
	b.mu.Unlock()
	b.open.Add(1)
	defer b.open.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	for i, e := range b.events[id] {
		_, _ = fmt.Fprintf(w, "id: %d\ndata: %s\n\n", i+1, e)
	}
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func (b *bookingOf) streams() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.asked...)
}

func young(id, rider, state string, metres int) string {
	return fmt.Sprintf(`{"id":%q,"rider_id":%q,"state":%q,"distance_m":%d,"requested_at":%q,"pickup":{"label":"secret street"}}`, id, rider, state, metres, time.Now().Format(time.RFC3339Nano))
}

func happened(kind, data string) string {
	return fmt.Sprintf(`{"seq":1,"ride_id":"secret-id","kind":%q,"by":"secret by","at":"2026-11-06T00:00:00Z","data":%s}`, kind, data)
}

// follow asks for the shown ride, and returns frames until one has an event of the kind.
func follow(t *testing.T, conn *websocket.Conn, kind string) (ride shownRide, raw string) {
	t.Helper()
	for {
		frame := nextText(t, conn)
		if frame["type"] != "shown_ride" {
			continue
		}
		b, err := json.Marshal(frame["ride"])
		require.NoError(t, err)
		ride = shownRide{}
		require.NoError(t, json.Unmarshal(b, &ride))
		if n := len(ride.Events); n > 0 && ride.Events[n-1].Kind == kind {
			return ride, string(b)
		}
	}
}

func TestTheShownRideIsOfNoPerson(t *testing.T) {
	b := &bookingOf{
		rides: strings.Join([]string{
			young("guests", "rider-1", "requested", 100), young("sims", "sim-1-r-1", "offered", 900),
			young("longer", "sim-1-r-2", "requested", 5000), young("driven", "sim-1-r-3", "picked_up", 10),
		}, ","),
		events: map[string][]string{"sims": {
			happened("requested", `{}`), happened("received", `{"pid":4711,"receives":2,"message_id":"secret-message"}`), happened("offered", `{"driver_id":"secret-driver"}`),
			happened("dead_lettered", `{"reason":"secret reason"}`), happened("refused", `{"driver_id":"rider-secret","reason":"secret"}`),
			happened("assigned", `{"driver_id":"sim-1-d-7","secret":1}`),
		}},
	}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	f, base, signer := start(t, srv.URL)
	f.world.apply(point("sim-1-d-7", 1, -34.9, -56.2), time.Now())

	conn, other := dial(t, base, signer, viewer), dial(t, base, signer, viewer)
	require.NoError(t, conn.WriteJSON(message{Type: "shown_ride"}))
	ride, raw := follow(t, conn, "assigned")

	kinds := []string{}
	for _, e := range ride.Events {
		kinds = append(kinds, e.Kind)
	}
	require.Equal(t, []string{"requested", "received", "offered", "refused", "assigned"}, kinds)
	require.Equal(t, shownEvent{Kind: "received", At: ride.Events[1].At, PID: 4711, Try: 2}, ride.Events[1])
	require.Equal(t, f.world.vehicleOf("sim-1-d-7"), *ride.Vehicle)
	require.NotContains(t, raw, "secret")
	require.NotContains(t, raw, "sim-")

	// However many look, one stream is open, and none once all have gone.
	require.NoError(t, other.WriteJSON(message{Type: "shown_ride"}))
	again, _ := follow(t, other, "assigned")
	require.Equal(t, ride.N, again.N, "the same ride, from its beginning")
	require.Equal(t, []string{"sims"}, b.streams())
	require.NoError(t, conn.WriteJSON(message{Type: "shown_ride", Stop: true}))
	require.NoError(t, other.Close())
	require.Eventually(t, func() bool { return b.open.Load() == 0 }, 10*time.Second, 10*time.Millisecond)
}

// Who looks after all others have left is told of no ride yet, in the form of one: the
// page would break over null.
func TestWhoComesAfterAllHaveLeftGetsNoNull(t *testing.T) {
	b := &bookingOf{
		rides:  young("sims", "sim-1-r-1", "requested", 900),
		events: map[string][]string{"sims": {happened("requested", `{}`)}},
	}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	_, base, signer := start(t, srv.URL)

	conn := dial(t, base, signer, viewer)
	require.NoError(t, conn.WriteJSON(message{Type: "shown_ride"}))
	follow(t, conn, "requested")
	require.NoError(t, conn.WriteJSON(message{Type: "shown_ride", Stop: true}))
	require.Eventually(t, func() bool { return b.open.Load() == 0 }, 10*time.Second, 10*time.Millisecond)

	require.NoError(t, conn.WriteJSON(message{Type: "shown_ride"}))
	for {
		if frame := nextText(t, conn); frame["type"] == "shown_ride" {
			require.Equal(t, []any{}, frame["ride"].(map[string]any)["events"])
			return
		}
	}
}

// A person who drives took the ride: whoever looks is not told which car that is.
func TestAPersonWhoDrivesIsNotShown(t *testing.T) {
	b := &bookingOf{
		rides:  young("sims", "sim-1-r-1", "requested", 900),
		events: map[string][]string{"sims": {happened("requested", `{}`), happened("assigned", `{"driver_id":"driver-person"}`), happened("arrived", `{}`)}},
	}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	f, base, signer := start(t, srv.URL)
	conn := dial(t, base, signer, viewer)
	require.NoError(t, conn.WriteJSON(message{Type: "shown_ride"}))
	ride, _ := follow(t, conn, "requested")
	require.Nil(t, ride.Vehicle)

	require.Eventually(t, func() bool { return b.open.Load() == 0 || len(b.streams()) > 1 }, 30*time.Second, 10*time.Millisecond, "it is left")
	f.shown.mu.Lock()
	defer f.shown.mu.Unlock()
	for _, e := range f.shown.ride.Events {
		require.Equal(t, "requested", e.Kind)
	}
	require.Empty(t, f.shown.driver)
}

// All numbers change together; the car that is shown is told by its new one.
func TestTheShownCarKeepsBeingKnownWhenNumbersChange(t *testing.T) {
	b := &bookingOf{
		rides:  young("sims", "sim-1-r-1", "requested", 900),
		events: map[string][]string{"sims": {happened("assigned", `{"driver_id":"sim-1-d-7"}`)}},
	}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	var later atomic.Int64
	f, base, signer := startWith(t, srv.URL, func(f *feed) {
		f.world.now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	conn := dial(t, base, signer, viewer)
	require.NoError(t, conn.WriteJSON(message{Type: "shown_ride"}))
	first, _ := follow(t, conn, "assigned")

	later.Store(int64(epochLength))
	second, _ := follow(t, conn, "assigned")
	require.NotEqual(t, *first.Vehicle, *second.Vehicle)
	require.Equal(t, f.world.vehicleOf("sim-1-d-7"), *second.Vehicle)
}
