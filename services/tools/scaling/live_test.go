package scaling

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/internal/queue/autoscale"
)

// gateway is a Tandem whose console says each answer in turn, and the last one from then
// on; "" is a console that does not answer.
func gateway(t *testing.T, answers ...string) Live {
	t.Helper()
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/tokens" {
			_, _ = w.Write([]byte(`{"token":"t","expires_at":99999999999999}`))
			return
		}
		said := answers[min(int(asked.Add(1))-1, len(answers)-1)]
		if said == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(said))
	}))
	t.Cleanup(s.Close)
	return Live{GatewayURL: s.URL, Every: time.Millisecond}
}

const (
	busy = `{"at":"2026-03-01T12:00:20Z","queues":[{"name":"ride-requests","visible":40,"in_flight":10},{"name":"ride-requests-dlq","visible":7,"in_flight":0}],
		"workers":[{"ok":true},{"ok":true},{"ok":false}],"rides":{"oldest_waiting":"2026-03-01T12:00:00Z"}}`
	silent = `{"at":"2026-03-01T12:00:20Z","queues":[{"name":"ride-requests","visible":40,"in_flight":10,"error":"SQS does not answer"}],"workers":[{"ok":true}]}`
)

func TestRecordKeepsWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	points, err := Record(t.Context(), gateway(t, busy, silent, "", busy), 300*time.Millisecond)
	require.NoError(t, err)
	require.Greater(t, len(points), 3)

	for i, want := range []Point{
		{Known: true, Waiting: 40, InFlight: 10, Workers: 3, Oldest: 20 * time.Second},
		{Workers: 1}, {Workers: 1}, // the queue is silent; the console is
		{Known: true, Waiting: 40, InFlight: 10, Workers: 3, Oldest: 20 * time.Second},
	} {
		want.At = points[i].At
		require.Equal(t, want, points[i])
	}

	_, err = Record(t.Context(), gateway(t, ""), time.Minute)
	require.Error(t, err, "nobody is there")
}

func TestWatchPrintsTheCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()

	var out strings.Builder
	p := profile.Default().Workers
	require.NoError(t, Watch(ctx, &out, gateway(t, busy), p))
	require.Contains(t, out.String(), "3 workers, and 4 are wanted: 40 messages wait")
	require.Contains(t, out.String(), "docker compose up -d --no-recreate --scale dispatch=4 dispatch\n")
	require.Equal(t, 1, strings.Count(out.String(), "wanted"), "it is said once")

	require.Error(t, Watch(t.Context(), &out, gateway(t, ""), p), "nobody is there")
	require.Error(t, Watch(t.Context(), &out, gateway(t, busy), autoscale.Policy{}))
}
