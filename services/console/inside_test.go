package console

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// rideAPI serves the console's routes of one ride, r1's, whose parts all are behind one server.
func rideAPI(t *testing.T, behind http.HandlerFunc) func(path, rider string, out any) int {
	t.Helper()
	signer := testSigner(t)
	server := httptest.NewServer(behind)
	t.Cleanup(server.Close)

	cfg := Config{
		Auth: signer, AWS: awsclient.Config{Endpoint: server.URL}, Queues: []string{event.QueueRideRequests},
		Peers: []Peer{{"history", server.URL}}, StreamRetention: time.Hour,
	}
	s := &service{
		cfg: cfg, gather: newGatherer(cfg, &fakeQueues{}, signer), booking: httpclient.ForService(server.URL, signer, "console"),
		inside: newInside(cfg.AWS.Endpoint), region: "us-east-1",
	}
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "console", Auth: signer, Routes: s.routes(),
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)

	return func(path, rider string, out any) int {
		token, err := signer.Sign(auth.Identity{Subject: rider, Role: auth.Rider}, time.Minute)
		require.NoError(t, err)
		req := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if rec.Code == http.StatusOK {
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), out))
		}
		return rec.Code
	}
}

const ride = `{"rider_id":"r1","driver_id":"d1","assigned_at":"2026-11-27T10:00:00Z","ended_at":"2026-11-27T10:05:00Z"}`

func TestARidesMessageHasTheQueuesOwnDeadline(t *testing.T) {
	ask := rideAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/rides/") {
			_, _ = fmt.Fprint(w, ride)
			return
		}
		_, _ = fmt.Fprint(w, `{"queues":[
			{"name":"notifications.fifo","messages":[{"id":"m1","state":"visible"}]},
			{"name":"ride-requests","messages":[{"id":"m0","state":"delayed","visible_in_ms":9},{"id":"m1","state":"in_flight","visible_in_ms":27000,"receives":2}]}]}`)
	})

	var got RideQueue
	require.Equal(t, 200, ask("/v1/rides/x/queue?message=m1", "r1", &got))
	require.True(t, got.Known)
	require.Equal(t, "in_flight", got.Message.State)
	require.Equal(t, 2, got.Message.Receives)
	require.Equal(t, got.Message.HeardAt+27_000, got.Message.ShowsAt)
	require.NotNil(t, got.Counts)
	require.Regexp(t, "^http://127.0.0.1:", got.Endpoint)
	require.Equal(t, "us-east-1", got.Region)

	require.Equal(t, 200, ask("/v1/rides/x/queue?message=deleted", "r1", &got))
	require.True(t, got.Known)
	require.Nil(t, got.Message)
	require.Equal(t, 404, ask("/v1/rides/x/queue?message=m1", "r2", &got))
}

func TestAQueueThatCannotBeLookedIntoIsNotKnown(t *testing.T) {
	ask := rideAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/rides/") {
			_, _ = fmt.Fprint(w, ride)
			return
		}
		http.NotFound(w, r) // as LocalStack does
	})

	var got RideQueue
	require.Equal(t, 200, ask("/v1/rides/x/queue?message=m1", "r1", &got))
	require.False(t, got.Known)
	require.Nil(t, got.Message)
}

func TestARidesPointsAreFromTheAcceptToTheEnd(t *testing.T) {
	const accepted, ended = 1795773600000, 1795773900000
	var query string
	ask := rideAPI(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/rides/"):
			_, _ = fmt.Fprint(w, ride)
		case r.URL.Path == "/v1/drivers/d1/points":
			query = r.URL.RawQuery
			_, _ = fmt.Fprintf(w, `{"points":[{"seq":%d,"lat":-34.9,"lon":-56.2,"speed":9}]}`, accepted+7)
		default:
			http.NotFound(w, r)
		}
	})

	var got StreamTrace
	require.Equal(t, 200, ask("/v1/rides/x/stream", "r1", &got))
	require.Equal(t, []RidePoint{{Seq: accepted + 7, Lat: -34.9, Lon: -56.2}}, got.Points)
	require.Equal(t, fmt.Sprintf("from=%d&to=%d", accepted, ended), query)
	require.Equal(t, "us-east-1", got.Region)

	require.Equal(t, 200, ask(fmt.Sprintf("/v1/rides/x/stream?after=%d", accepted+7), "r1", &got))
	require.Equal(t, fmt.Sprintf("from=%d&to=%d", accepted+8, ended), query)

	// After the end the driver is another rider's.
	query = ""
	require.Equal(t, 200, ask(fmt.Sprintf("/v1/rides/x/stream?after=%d", ended), "r1", &got))
	require.Equal(t, []RidePoint{}, got.Points)
	require.Empty(t, query)
	require.Equal(t, 400, ask("/v1/rides/x/stream?after=-1", "r1", &got))
}

func TestPointsThatHistoryDoesNotAnswerAreNotNone(t *testing.T) {
	ask := rideAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/rides/") {
			_, _ = fmt.Fprint(w, ride)
			return
		}
		http.Error(w, "away", http.StatusServiceUnavailable)
	})

	var got StreamTrace
	require.Equal(t, 200, ask("/v1/rides/x/stream", "r1", &got))
	require.Nil(t, got.Points)
}
