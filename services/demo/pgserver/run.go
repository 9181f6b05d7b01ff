package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"tandem/services/demo/supervisor"
)

// Spec returns the server as a row of a supervisor's table.
func (s *Server) Spec() supervisor.Spec {
	return supervisor.Spec{
		Name: "postgres", Path: filepath.Join(s.bin.dir, "postgres"), Args: s.args(), Env: environment(),
		Credential: s.cred, Ready: s.Ping,
		StopSignal:  syscall.SIGINT,  // fast: end sessions, write a checkpoint
		DeathSignal: syscall.SIGQUIT, // at once, and its children with it
	}
}

func (s *Server) args() []string {
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-h", "127.0.0.1"}

	// No Unix socket, so that the port on 127.0.0.1 is the only way in; and little
	// memory, because a dozen services run beside it.
	for _, setting := range append([]string{
		"unix_socket_directories=", "max_connections=200",
		"shared_buffers=48MB", "work_mem=4MB", "maintenance_work_mem=32MB", "max_wal_size=256MB",
		"max_worker_processes=2", "max_parallel_workers=0", "max_parallel_workers_per_gather=0",
		"jit=off", "log_min_messages=warning", "log_line_prefix=%m [%p] %a ",
	}, s.opts.Settings...) {
		args = append(args, "-c", setting)
	}
	return args
}

// Start prepares a server and starts it without a supervisor, for tests. It
// returns when the server takes queries; the caller must Stop it.
func Start(ctx context.Context, o Options) (*Running, error) {
	s, err := Prepare(ctx, o)
	if err != nil {
		return nil, err
	}

	for try := 1; ; try++ {
		r, err := s.startOnce(ctx)
		if !errors.Is(err, errEnded) || try == startTries {
			return r, err
		}

		// The children of a server that was killed keep its shared memory for a
		// moment, and a new server refuses to start until then.
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(startAgain):
		}
	}
}

const (
	startTries = 8
	startAgain = 300 * time.Millisecond
)

func (s *Server) startOnce(ctx context.Context) (*Running, error) {
	spec := s.Spec()

	log, err := os.OpenFile(filepath.Join(s.opts.Dir, "postgres.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("postgres log: %w", err)
	}
	defer func() { _ = log.Close() }()

	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Dir = spec.Env, log, log, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}

	waited, err := supervisor.Start(cmd, spec.DeathSignal)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}

	exited := make(chan struct{})
	r := &Running{Server: s, cmd: cmd, exited: exited}
	go func() {
		r.exit = <-waited
		close(exited)
	}()

	return r, r.awaitReady(ctx, log.Name())
}

var errEnded = errors.New("it was not asked to")

// Running is a server that Start started.
type Running struct {
	*Server
	cmd    *exec.Cmd
	exited <-chan struct{}
	exit   error // once exited is closed
}

func (r *Running) awaitReady(ctx context.Context, log string) error {
	for {
		err := r.Ping(ctx)
		if err == nil {
			return nil
		}

		select {
		case <-r.exited:
			return fmt.Errorf("postgres ended; its log is %s: %w", log, errors.Join(errEnded, r.exit))
		case <-ctx.Done():
			r.Stop()
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// Kill ends the server as a crash would, and waits for it.
func (r *Running) Kill() {
	_ = r.cmd.Process.Kill() // it may have ended by itself
	<-r.exited
}

// Stop ends the server, in order if it does so within 5 s.
func (r *Running) Stop() {
	// From asking to forcing: a fast shutdown, one without a checkpoint, kill -9.
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		_ = r.cmd.Process.Signal(sig) // it may have ended by itself
		select {
		case <-r.exited:
			return
		case <-time.After(5 * time.Second):
		}
	}
}
