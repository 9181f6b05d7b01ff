package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/domain/profile"
)

// TestMain turns the test binary into each of the demo's processes, which
// only say that they are well.
func TestMain(m *testing.M) {
	if os.Getenv("TANDEM_LISTEN_FD") == "" {
		os.Exit(m.Run())
	}
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"service":"simulator","detail":{"phase":"finished","drivers_on_road":7,"latency_ms":{"points_202":{"p50":1,"p99":2}}}}`)
	})
	mux.HandleFunc("/v1/overview", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"rides":{"per_minute":14},"shards":[{"points_per_s":120}],"queues":[{"name":"ride-requests","visible":1,"in_flight":2}],"readers":[{"reader":"history","ok":true,"latency_ms":{"p50":200,"p99":400}}]}`)
	})
	panic(http.Serve(l, mux))
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func options(t *testing.T, out *syncBuffer) Options {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711)) // root's Postgres passes here
	return Options{
		Version: "test", Self: os.Args[0], Environ: os.Environ(), Out: out, Addr: l.Addr().String(),
		Backend: profile.Emulator, Drivers: 7, Riders: 1, Speed: 1, Workers: Range{2, 2}, Data: filepath.Join(dir, "demo"),
		Migrate: func(context.Context, string) error { return nil },
	}
}

func TestDemoStartsRestartsAndLeavesNothing(t *testing.T) {
	var out syncBuffer
	o := options(t, &out)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := Run(ctx, o); ended <- err }()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "rides/min") }, 30*time.Second, 20*time.Millisecond)
	for _, want := range []string{"postgres ✓", "emulator ✓", "12 services ✓", "7 drivers on the road ✓", "http://" + o.Addr + "/admin", "120 points/s", "queue 1 waiting, 2 in flight", "history 200 ms"} {
		require.Contains(t, out.String(), want)
	}
	run, err := runfile.Read(o.Data)
	require.NoError(t, err)
	require.Len(t, run.Processes, 15)

	victim := run.Processes[0]
	require.NoError(t, syscall.Kill(victim.PID, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		again, err := runfile.Read(o.Data)
		return err == nil && again.Processes[0].PID != 0 && again.Processes[0].PID != victim.PID
	}, 10*time.Second, 20*time.Millisecond, "%s comes back, and the run file says so", victim.Name)

	run, err = runfile.Read(o.Data)
	require.NoError(t, err)
	require.Contains(t, out.String(), fmt.Sprintf("%s ended (pid %d): signal: killed; started again as pid %d\n", victim.Name, victim.PID, run.Processes[0].PID))
	began := time.Now()
	cancel()
	require.NoError(t, <-ended)
	require.Less(t, time.Since(began), 10*time.Second)
	for _, p := range run.Processes {
		require.ErrorIs(t, syscall.Kill(p.PID, 0), syscall.ESRCH, p.Name)
	}
	_, err = runfile.Read(o.Data)
	require.ErrorIs(t, err, runfile.ErrNotRunning)
}

func TestDemoForReportsItsAudit(t *testing.T) {
	var out syncBuffer
	o := options(t, &out)
	o.For, o.Report = time.Second, filepath.Join(t.TempDir(), "report.json")
	o.Audit = func(_ context.Context, r runfile.Run) (Audit, error) {
		a := Audit{OK: false, Checks: []string{}}
		a.Counts.Rides.Requested = int64(len(r.Processes))
		return a, nil
	}
	ok, err := Run(t.Context(), o)
	require.NoError(t, err, out.String())
	require.False(t, ok, "the audit's verdict is the demo's")
	b, err := os.ReadFile(o.Report)
	require.NoError(t, err)
	var r map[string]any
	require.NoError(t, json.Unmarshal(b, &r))
	require.EqualValues(t, 15, r["rides"].(map[string]any)["requested"])
	require.Contains(t, r["latency_ms"], "point_to_history")
	require.Positive(t, r["memory_mb"])
	require.Contains(t, r, "cpu_cores")
}

func TestBusyPortIsExplained(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = busy.Close() }()
	var out syncBuffer
	o := options(t, &out)
	o.Addr = busy.Addr().String()
	_, err = Run(t.Context(), o)
	require.ErrorContains(t, err, "is taken by another program")
}
