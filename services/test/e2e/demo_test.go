package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/test/testenv"
)

// readyWithin is how long a demo may take until its drivers are on the road.
// A first start may download Postgres.
const readyWithin = 4 * time.Minute

// demo is a running `tandem demo`.
type demo struct {
	cmd  *exec.Cmd
	dir  string
	base string
	out  *output
	done chan error
}

// output collects what the demo prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// tail returns its last n lines.
func (o *output) tail(n int) string {
	lines := strings.Split(o.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("TANDEM_E2E") == "" {
		t.Skip("boots the whole demo: run it with make e2e")
	}
}

func binary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../../bin/tandem")
	require.NoError(t, err)
	require.FileExists(t, path, "make build")
	return path
}

// boot starts a demo on dir and waits until its drivers are on the road.
func boot(t *testing.T, dir string, args ...string) *demo {
	t.Helper()
	addr := testenv.FreeAddr(t)
	d := launch(t, dir, append([]string{"--addr", addr}, args...)...)
	d.base = "http://" + addr

	require.Eventually(t, func() bool {
		select {
		case err := <-d.done:
			t.Fatalf("the demo ended: %v\n%s", err, d.out)
		default:
		}
		return strings.Contains(d.out.String(), "drivers on the road")
	}, readyWithin, 50*time.Millisecond)
	return d
}

func launch(t *testing.T, dir string, args ...string) *demo {
	t.Helper()
	d := &demo{dir: dir, out: &output{}, done: make(chan error, 1)}
	d.cmd = exec.Command(binary(t), append([]string{"demo", "--data", dir}, args...)...)
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	require.NoError(t, d.cmd.Start())
	go func() { d.done <- d.cmd.Wait() }()

	t.Cleanup(func() {
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the demo said at last:\n%s", d.out.tail(15))
		}
	})
	return d
}

// wait waits for the demo's end and returns its exit code.
func (d *demo) wait(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case err := <-d.done:
		var exit *exec.ExitError
		if err == nil || errors.As(err, &exit) {
			return d.cmd.ProcessState.ExitCode()
		}
		t.Fatalf("the demo: %v", err)
	case <-time.After(within):
		t.Fatalf("the demo still runs after %s:\n%s", within, d.out)
	}
	return -1
}

func (d *demo) runFile(t *testing.T) runfile.Run {
	t.Helper()
	r, err := runfile.Read(d.dir)
	require.NoError(t, err)
	return r
}

// nothingLeft checks that no process, port or lock of a demo is left.
func nothingLeft(t *testing.T, d *demo, r runfile.Run) {
	t.Helper()
	for _, p := range r.Processes {
		require.Eventually(t, func() bool { return !alive(p.PID) }, 5*time.Second, 20*time.Millisecond, "%s (pid %d) is left", p.Name, p.PID)
		if p.URL != "" {
			// The kernel closes a killed process's sockets a moment after it is a zombie.
			require.Eventually(t, func() bool {
				l, err := net.Listen("tcp", strings.TrimPrefix(p.URL, "http://"))
				return err == nil && l.Close() == nil
			}, 5*time.Second, 20*time.Millisecond, "the port of %s is free", p.Name)
		}
	}

	lock, err := os.Open(filepath.Join(d.dir, "lock"))
	require.NoError(t, err)
	defer func() { _ = lock.Close() }()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), "the folder is locked")
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	if pid == 0 || syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func ready(ctx context.Context, base string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return false
	}

	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
