package e2e

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/test/browser"
	"tandem/services/test/testenv"
)

// load is the demo's load in these tests: enough to keep two cores busy, and cars
// fast enough that the longest trip ends within two minutes. No worker comes or goes
// while the processes are killed by their names.
func load() []string {
	return []string{"--drivers", "100", "--riders", "60", "--speed", "20", "--workers", "2"}
}

// TestBrowserAndKilledSupervisor books a ride in a real browser, kills the
// supervisor with -9, checks that no process is left, and starts again on the same
// data.
func TestBrowserAndKilledSupervisor(t *testing.T) {
	wanted(t)
	dir := testenv.DemoDir(t, "e2e")
	first := boot(t, dir, load()...)
	browser.Run(t, first.base, first.dir)

	run := first.runFile(t)
	require.NoError(t, first.cmd.Process.Kill())
	require.Error(t, <-first.done, "it was killed")
	nothingLeft(t, first, run)

	began := time.Now()
	second := boot(t, dir, load()...)
	t.Logf("second start: drivers on the road after %.1f s", time.Since(began).Seconds())
	require.Less(t, time.Since(began), 15*time.Second)
	run = second.runFile(t)

	began = time.Now()
	require.NoError(t, second.cmd.Process.Signal(os.Interrupt))
	require.Zero(t, second.wait(t, 15*time.Second))
	t.Logf("Ctrl-C: gone after %.1f s", time.Since(began).Seconds())
	require.Less(t, time.Since(began), 10*time.Second)
	nothingLeft(t, second, run)
	require.NoFileExists(t, filepath.Join(dir, runfile.Name))
}

// TestPagesOnEveryScreen looks at every page, on a demo as people start it.
func TestPagesOnEveryScreen(t *testing.T) {
	if os.Getenv("TANDEM_PAGES") == "" {
		t.Skip("boots the whole demo: run it with make pages")
	}

	d := boot(t, testenv.DemoDir(t, "e2e"))
	browser.RunPages(t, d.base, d.dir)
}

// TestPagesWhilePartsAreFrozenOrKilled looks at what the pages say of it.
func TestPagesWhilePartsAreFrozenOrKilled(t *testing.T) {
	if os.Getenv("TANDEM_FROZEN") == "" {
		t.Skip("boots the whole demo: run it with make frozen")
	}

	// The workers that are frozen are all: no other is started for what waits.
	d := boot(t, testenv.DemoDir(t, "e2e"), "--workers", "2")
	browser.RunFaults(t, d.base, d.dir)
}

// report is what the test reads of --report.
type report struct {
	Rides struct {
		Requested, Assigned, Completed, Lost int
	}
	Points struct {
		Accepted, Stored, Duplicated, Lost int
		OutOfOrder                         int `json:"out_of_order"`
	}
	Audit struct {
		OK     bool
		Checks json.RawMessage
	}
	MemoryMB float64 `json:"memory_mb"`
	CPUCores float64 `json:"cpu_cores"`
}

// TestEveryProcessKilledUnderLoad kills -9 each process in turn while rides
// and points flow and, on the emulator, calls fail on purpose; then the demo
// drains, audits itself and says that nothing was lost. It runs on the backend
// that TANDEM_BACKEND names.
func TestEveryProcessKilledUnderLoad(t *testing.T) {
	wanted(t)
	dir := testenv.DemoDir(t, "e2e")
	file := filepath.Join(dir, "report.json")
	d := boot(t, dir, append(append(load(), faultsOn()...), "--for", "75s", "--report", file)...)
	fail(t, d)

	pace := time.NewTicker(4 * time.Second) // so that each dies amid rides and points
	defer pace.Stop()
	for _, p := range d.runFile(t).Processes {
		if p.Role == "simulator" {
			continue // the outsider: it keeps the ledger of what it was promised
		}
		<-pace.C
		kill(t, d, p.Name)
		if p.Role == "emulator" {
			fail(t, d)
		}
	}

	code := d.wait(t, 7*time.Minute)

	b, err := os.ReadFile(file)
	require.NoError(t, err, d.out.String())
	t.Logf("report: %s", b)
	var r report
	require.NoError(t, json.Unmarshal(b, &r))

	require.Zero(t, code, d.out.String())
	require.True(t, r.Audit.OK)
	require.Greater(t, r.Rides.Requested, 30)
	require.Greater(t, r.Rides.Completed, 15)
	require.Greater(t, r.Points.Accepted, 3_000)
	require.Zero(t, r.Rides.Lost)
	require.Zero(t, r.Points.Lost)
	require.Zero(t, r.Points.Duplicated)
	require.Zero(t, r.Points.OutOfOrder)
}

// kill kills one process with -9 and waits for the one that replaces it.
func kill(t *testing.T, d *demo, name string) {
	t.Helper()
	before := process(t, d, name)

	began := time.Now()
	require.NoError(t, syscall.Kill(before.PID, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		p := process(t, d, name)
		return p.PID != 0 && p.PID != before.PID && (p.URL == "" || ready(t.Context(), p.URL))
	}, 30*time.Second, 50*time.Millisecond, "%s does not come back", name)

	t.Logf("killed %s (pid %d): back after %.1f s", name, before.PID, time.Since(began).Seconds())
}

func process(t *testing.T, d *demo, name string) runfile.Process {
	t.Helper()
	for _, p := range d.runFile(t).Processes {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no process %s", name)
	return runfile.Process{}
}

// A start that cannot succeed ends with a sentence that says what to do.
func TestWhyItCannotStartIsSaid(t *testing.T) {
	wanted(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = busy.Close() }()

	d := launch(t, testenv.DemoDir(t, "e2e"), "--addr", busy.Addr().String())
	require.Equal(t, 1, d.wait(t, 20*time.Second))
	require.Contains(t, d.out.String(), "is taken by another program")

	dir := testenv.DemoDir(t, "e2e")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "version"), []byte("0"), 0o600))
	d = launch(t, dir)
	require.Equal(t, 1, d.wait(t, 20*time.Second))
	require.Contains(t, d.out.String(), "--fresh")
	require.True(t, strings.HasPrefix(d.out.String(), "Tandem "), "the first line comes first")
}
