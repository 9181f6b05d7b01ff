package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"tandem/services/demo/pgserver"
	"tandem/services/demo/supervisor"
)

// StartPostgres prepares a server of Postgres and starts it without a supervisor.
// It returns when the server takes queries; the caller must Stop it.
func StartPostgres(ctx context.Context, o pgserver.Options) (*Postgres, error) {
	s, err := pgserver.Prepare(ctx, o)
	if err != nil {
		return nil, err
	}

	for try := 1; ; try++ {
		p, err := startOnce(ctx, s, filepath.Join(o.Dir, "postgres.log"))
		if !errors.Is(err, errEnded) || try == startTries {
			return p, err
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

// startOnce starts the server and waits for it. If the server ends by itself, the
// error is errEnded.
func startOnce(ctx context.Context, s *pgserver.Server, logPath string) (*Postgres, error) {
	spec := s.Spec()

	log, err := os.OpenFile(logPath, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("postgres log: %w", err)
	}
	defer func() { _ = log.Close() }()

	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Dir = spec.Env, log, log, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: spec.Credential}

	waited, err := supervisor.Start(cmd, spec.DeathSignal)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}

	exited := make(chan struct{})
	p := &Postgres{Server: s, cmd: cmd, exited: exited}
	go func() {
		p.exit = <-waited
		close(exited)
	}()

	return p, p.awaitReady(ctx, logPath)
}

var errEnded = errors.New("it was not asked to")

// Postgres is a server that StartPostgres started.
type Postgres struct {
	*pgserver.Server
	cmd    *exec.Cmd
	exited <-chan struct{}
	exit   error // once exited is closed
}

func (p *Postgres) awaitReady(ctx context.Context, log string) error {
	for {
		err := p.Ping(ctx)
		if err == nil {
			return nil
		}

		select {
		case <-p.exited:
			return fmt.Errorf("postgres ended; its log is %s: %w", log, errors.Join(errEnded, p.exit))
		case <-ctx.Done():
			p.Stop()
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// Kill ends the server as a crash would, and waits for it.
func (p *Postgres) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
}

// Stop ends the server, in order if it does so within 5 s.
func (p *Postgres) Stop() {
	// From asking to forcing: a fast shutdown, one without a checkpoint, kill -9.
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		_ = p.cmd.Process.Signal(sig) // it may have ended by itself
		select {
		case <-p.exited:
			return
		case <-time.After(5 * time.Second):
		}
	}
}
