package demo

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/demo/supervisor"
	"tandem/services/internal/auth"
	"tandem/services/internal/queue/autoscale"
	"tandem/services/internal/workersfile"
)

// newScaler is the loop of a demo without any process, whose console says what answer
// holds; "" is a console that does not answer.
func newScaler(t *testing.T, answer *atomic.Value) *scaler {
	t.Helper()
	console := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		said := answer.Load().(string)
		if said == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(said))
	}))
	t.Cleanup(console.Close)

	signer, err := auth.NewSigner(make([]byte, 32))
	require.NoError(t, err)
	d := &demo{
		Options: Options{Self: os.Args[0], Environ: os.Environ()}, screen: newScreen(&bytes.Buffer{}), log: slog.New(slog.DiscardHandler),
		addrs: map[string]string{"console": console.URL}, signer: signer, settings: map[string]string{},
	}
	for _, name := range strings.Fields(workerRow(1).needs) {
		d.settings[name] = "x"
	}
	d.folder, err = openFolder(filepath.Join(t.TempDir(), "demo"), false)
	require.NoError(t, err)
	d.connect()
	d.run = newRunState(d)
	d.settings["DATABASE_URL"] = "x"
	require.NoError(t, d.run.write())
	d.sup = supervisor.New(supervisor.Options{Logs: d.folder.path("logs"), Log: d.log, OnChange: d.changed})
	t.Cleanup(func() { d.stop(); _ = d.folder.close() })

	return &scaler{demo: d, policy: autoscale.Policy{
		Min: 1, Max: 4, Latency: 10 * time.Second, Holds: 5, Handling: 4 * time.Second,
		WarmUp: time.Millisecond, ScaleInAfter: 2 * time.Millisecond, Fresh: time.Minute,
	}}
}

// queue is an overview with so many messages, and workers that hold so many each.
func queue(visible, inFlight int, held map[string]int) string {
	var workers []string
	for name, n := range held {
		workers = append(workers, fmt.Sprintf(`{"name":%q,"ok":true,"handling":%d}`, name, n))
	}
	return fmt.Sprintf(`{"at":"2026-01-01T00:00:00Z","queues":[{"name":"ride-requests","visible":%d,"in_flight":%d}],"workers":[%s]}`,
		visible, inFlight, strings.Join(workers, ","))
}

func (s *scaler) file(t *testing.T) (names []string, because string) {
	t.Helper()
	f, err := workersfile.Read(s.workersFile())
	require.NoError(t, err)
	for _, w := range f.Workers {
		names = append(names, w.Name)
	}
	return names, f.Decision.Because
}

func TestWorkersFollowTheQueue(t *testing.T) {
	var answer atomic.Value
	s := newScaler(t, &answer)

	// From none to the fewest, although nobody answers.
	answer.Store("")
	s.step(t.Context())
	require.Equal(t, []string{"dispatch-1"}, s.workers.names())

	answer.Store(queue(30, 5, nil))
	require.Eventually(t, func() bool {
		s.step(t.Context())
		return len(s.workers.names()) == 3
	}, 10*time.Second, 2*time.Millisecond)
	require.Equal(t, []string{"dispatch-1", "dispatch-2", "dispatch-3"}, s.workers.names())
	require.NoError(t, s.sup.WaitReady(t.Context()))
	require.Eventually(t, func() bool {
		told, _ := s.file(t)
		return len(told) == 3
	}, 10*time.Second, time.Millisecond, "the console is told of those that work")
	_, because := s.file(t)
	require.Contains(t, because, "30 messages wait")

	run, err := runfile.Read(s.folder.dir)
	require.NoError(t, err)
	require.Equal(t, "dispatch-2", run.Processes[2].Name)

	// What is not known changes nothing.
	answer.Store("")
	s.step(t.Context())
	require.Len(t, s.workers.names(), 3)

	// The one with the fewest messages goes, and is not missed from then on.
	answer.Store(queue(0, 4, map[string]int{"dispatch-1": 3, "dispatch-2": 0, "dispatch-3": 1}))
	require.Eventually(t, func() bool {
		s.step(t.Context())
		return len(s.workers.names()) == 2
	}, 10*time.Second, 3*time.Millisecond)
	require.Equal(t, []string{"dispatch-1", "dispatch-3"}, s.workers.names())
	told, because := s.file(t)
	require.Equal(t, []string{"dispatch-1", "dispatch-3"}, told)
	require.Contains(t, because, "2 workers would have done")

	s.workers.retiring.Wait()
	require.Len(t, s.sup.Status(), 2)
	require.ErrorIs(t, syscall.Kill(run.Processes[2].PID, 0), syscall.ESRCH)
	require.Equal(t, "dispatch-2", s.workers.free().name, "its name may be used again")
}

// A worker that does not answer may hold the most.
func TestTheLeastBusyWorkerIsRetired(t *testing.T) {
	five, none := 5, 0
	require.Equal(t, "b", overview{}.leastBusy([]string{"a", "b"}), "among equals the newest")

	o := overview{Workers: []workerState{{"a", true, &five}, {"b", false, &none}}}
	require.Equal(t, "a", o.leastBusy([]string{"a", "b"}))
}

func TestAFixedNumberOfWorkersStays(t *testing.T) {
	d := &demo{Options: Options{Workers: Range{2, 2}}}
	d.autoscale(context.Background())() // it would need a console
}
