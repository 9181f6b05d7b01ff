package supervisor_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/supervisor"
)

// roleVar turns the test binary into one of the processes that the tests
// supervise.
const roleVar = "SUPERVISOR_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "serve":
		serve()
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		select {}
	case "supervise":
		supervise()
	default:
		os.Exit(m.Run())
	}
}

// serve answers its pid on the inherited listener.
func serve() {
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		panic(err)
	}
	fmt.Println("serving")
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, os.Getpid())
	})))
}

// alive reports whether a process runs; one that is dead and not yet waited for
// by whoever adopted it does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// supervise keeps one child and prints its pid, until it is killed.
func supervise() {
	s := supervisor.New(supervisor.Options{Logs: os.Getenv("SUPERVISOR_TEST_LOGS"), Log: slog.New(slog.DiscardHandler)})
	spec := self("stubborn")
	if err := s.Add(spec); err != nil {
		panic(err)
	}
	if err := s.WaitReady(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(s.Status()[0].PID)
	select {}
}

func self(role string) supervisor.Spec {
	return supervisor.Spec{Name: role, Path: os.Args[0], Env: append(os.Environ(), roleVar+"="+role)}
}

func newSupervisor(t *testing.T) *supervisor.Supervisor {
	t.Helper()
	return newSupervisorWith(t, supervisor.Options{})
}

func newSupervisorWith(t *testing.T, o supervisor.Options) *supervisor.Supervisor {
	t.Helper()
	o.Logs, o.Log = t.TempDir(), slog.New(slog.DiscardHandler)
	s := supervisor.New(o)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Stop(ctx)
	})
	return s
}

func get(url string) (string, error) {
	c := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func listening(t *testing.T, spec *supervisor.Spec) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	spec.Listener = l.(*net.TCPListener)
	url = "http://" + l.Addr().String()
	spec.Ready = func(context.Context) error { _, err := get(url); return err }
	return url
}

func TestKilledChildComesBackOnItsPort(t *testing.T) {
	s := newSupervisor(t)
	spec := self("serve")
	url := listening(t, &spec)
	require.NoError(t, s.Add(spec))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, s.WaitReady(ctx))

	first, err := get(url)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(s.Status()[0].PID, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		pid, err := get(url)
		return err == nil && pid != first
	}, 10*time.Second, 20*time.Millisecond, "no new process answers on the port")
	require.Equal(t, 2, s.Status()[0].Starts)
	require.Contains(t, s.Status()[0].LastExit, "killed")
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	s := newSupervisor(t)
	require.NoError(t, s.Add(self("stubborn")))
	require.NoError(t, s.WaitReady(t.Context()))
	pid := s.Status()[0].PID
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	s.Stop(ctx)
	require.Equal(t, supervisor.Ended, s.Status()[0].State)
	require.False(t, alive(pid))
	require.Error(t, s.Add(self("stubborn")), "nothing starts after Stop")
}

func TestNothingOutlivesAKilledSupervisor(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), roleVar+"=supervise", "SUPERVISOR_TEST_LOGS="+t.TempDir())
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.True(t, alive(child))

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	require.Eventually(t, func() bool { return !alive(child) }, 5*time.Second, 10*time.Millisecond)
}

func TestEndIsForGood(t *testing.T) {
	s := newSupervisor(t)
	require.NoError(t, s.Add(supervisor.Spec{Name: "sleep", Path: "/bin/sleep", Args: []string{"60"}}))
	require.NoError(t, s.WaitReady(t.Context()))
	s.End(t.Context(), "sleep")
	require.Equal(t, supervisor.Ended, s.Status()[0].State)
	require.Equal(t, 1, s.Status()[0].Starts)
}

func TestARetiredProcessIsForgotten(t *testing.T) {
	s := newSupervisor(t)
	sleep := supervisor.Spec{Name: "sleep", Path: "/bin/sleep", Args: []string{"60"}}
	url := listening(t, &sleep)
	require.NoError(t, s.Add(sleep))
	require.Eventually(t, func() bool { return s.Status()[0].PID != 0 }, 10*time.Second, time.Millisecond)

	s.Retire(t.Context(), "sleep")
	require.Empty(t, s.Status())
	_, err := get(url)
	require.ErrorIs(t, err, syscall.ECONNREFUSED, "its port is free again")

	again := supervisor.Spec{Name: "sleep", Path: "/bin/sleep", Args: []string{"60"}}
	require.NoError(t, s.Add(again))
	require.NoError(t, s.WaitReady(t.Context(), "sleep"))
	require.Len(t, s.Status(), 1)
}

func TestStagesStopBackwards(t *testing.T) {
	ended := make(chan string, 4)
	s := supervisor.New(supervisor.Options{Logs: t.TempDir(), Log: slog.New(slog.DiscardHandler), OnChange: func(st supervisor.Status) {
		if st.State == supervisor.Ended {
			ended <- st.Name
		}
	}})
	for i, name := range []string{"database", "service", "client"} {
		require.NoError(t, s.Add(supervisor.Spec{Name: name, Stage: i, Path: "/bin/sleep", Args: []string{"60"}}))
	}
	require.NoError(t, s.WaitReady(t.Context()))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	s.Stop(ctx)
	require.Equal(t, []string{"client", "service", "database"}, []string{<-ended, <-ended, <-ended})
}
