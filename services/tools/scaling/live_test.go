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
// on; "" is a console that does not answer. The context ends when it is asked three times
// more than it has answers.
func gateway(t *testing.T, answers ...string) (context.Context, Live) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/tokens" {
			_, _ = w.Write([]byte(`{"token":"t","expires_at":99999999999999}`))
			return
		}
		n := int(asked.Add(1))
		if n == len(answers)+3 {
			cancel()
		}
		said := answers[min(n, len(answers))-1]
		if said == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(said))
	}))
	t.Cleanup(s.Close)
	return ctx, Live{GatewayURL: s.URL, Every: time.Millisecond}
}

const (
	busy = `{"at":"2026-03-01T12:00:20Z","queues":[{"name":"ride-requests","visible":40,"in_flight":10},{"name":"ride-requests-dlq","visible":7,"in_flight":0}],
		"workers":[{"ok":true},{"ok":true},{"ok":false}],"rides":{"oldest_waiting":"2026-03-01T12:00:00Z"}}`
	silent = `{"at":"2026-03-01T12:00:20Z","queues":[{"name":"ride-requests","visible":40,"in_flight":10,"error":"SQS does not answer"}],"workers":[{"ok":true}]}`
)

func TestRecordKeepsWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	ctx, live := gateway(t, busy, silent, "", busy)
	points, err := Record(ctx, live, time.Hour)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(points), 4)

	for i, want := range []Point{
		{Known: true, Waiting: 40, InFlight: 10, Workers: 3, Oldest: 20 * time.Second},
		{Workers: 1}, {Workers: 1}, // the queue is silent; the console is
		{Known: true, Waiting: 40, InFlight: 10, Workers: 3, Oldest: 20 * time.Second},
	} {
		want.At = points[i].At
		require.Equal(t, want, points[i])
	}

	ctx, live = gateway(t, "")
	_, err = Record(ctx, live, time.Hour)
	require.Error(t, err, "nobody is there")
}

// Who decides wants other workers than are there: some are on their way, and count.
func TestWorkersOnTheirWayCount(t *testing.T) {
	t.Parallel()
	ctx, live := gateway(t, strings.Replace(busy, "{", `{"autoscale":{"want":5},`, 1))
	points, err := Record(ctx, live, time.Hour)
	require.NoError(t, err)
	require.Equal(t, 5, points[0].Workers)
}

func TestWatchPrintsTheCommand(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := profile.Default().Workers
	ctx, live := gateway(t, busy)
	require.NoError(t, Watch(ctx, &out, live, p))
	require.Contains(t, out.String(), "3 workers, and 4 are wanted: 40 messages wait")
	require.Contains(t, out.String(), "docker compose up -d --no-recreate --scale dispatch=4 dispatch\n")
	require.Equal(t, 1, strings.Count(out.String(), "wanted"), "it is said once")

	out.Reset()
	ctx, live = gateway(t, busy, "", busy)
	require.NoError(t, Watch(ctx, &out, live, p))
	require.NotContains(t, out.String(), " 0 workers", "nobody says that there are none")

	require.Error(t, Watch(ctx, &out, live, autoscale.Policy{}))
	ctx, live = gateway(t, "")
	require.Error(t, Watch(ctx, &out, live, p), "nobody is there")
}
