package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// The pauses before a process is started again. The first is short, because
// people kill processes on purpose here and watch them return.
const (
	firstPause  = 50 * time.Millisecond
	longestWait = 10 * time.Second
	firstLook   = 20 * time.Millisecond // between two checks whether it is ready
	longestLook = 500 * time.Millisecond
	forgetAfter = time.Minute // after so long alive, the next pause is the first again
)

// process is one row of the table across its incarnations.
type process struct {
	sup      *Supervisor
	spec     Spec
	log      *LogFile
	socket   *os.File // the listener's, inherited by each incarnation
	wasReady chan struct{}
	done     chan struct{} // closed when it will not be started again
	leaving  chan struct{} // closed by leave

	mu    sync.Mutex
	st    Status
	cmd   *exec.Cmd // nil while it is down
	ready bool      // wasReady is closed
	left  bool
}

func newProcess(s *Supervisor, spec Spec) (*process, error) {
	if spec.StopSignal == 0 {
		spec.StopSignal = syscall.SIGTERM
	}
	if spec.DeathSignal == 0 {
		spec.DeathSignal = syscall.SIGKILL
	}

	log, err := OpenLog(s.opts.Logs, spec.Name)
	if err != nil {
		return nil, err
	}

	p := &process{
		sup: s, spec: spec, log: log, st: Status{Name: spec.Name},
		wasReady: make(chan struct{}), done: make(chan struct{}), leaving: make(chan struct{}),
	}

	if spec.Listener != nil {
		// File duplicates the descriptor: the child inherits the copy, and the port
		// stays open here while no child runs.
		if p.socket, err = spec.Listener.File(); err != nil {
			return nil, fmt.Errorf("supervisor: %s: listener: %w", spec.Name, errors.Join(err, log.Close()))
		}
	}

	return p, nil
}

func (p *process) close() error {
	errs := []error{p.log.Close()}
	if p.socket != nil {
		errs = append(errs, p.socket.Close(), p.spec.Listener.Close())
	}
	return errors.Join(errs...)
}

// run starts the process again and again until leave is called.
func (p *process) run(ctx context.Context) {
	defer close(p.done)
	pause := firstPause

	for {
		began := time.Now()
		err := p.once(ctx)

		if p.isLeft() {
			p.set(func(st *Status) { st.State, st.PID, st.LastExit = Ended, 0, exitText(err) })
			return
		}

		p.set(func(st *Status) { st.State, st.PID, st.LastExit = Down, 0, exitText(err) })
		p.sup.opts.Log.Warn("process ended; starting it again", "process", p.spec.Name, "exit", exitText(err), "in", pause)
		if time.Since(began) > forgetAfter {
			pause = firstPause
		}

		select {
		case <-time.After(pause):
		case <-p.leaving:
		}
		pause = min(pause*2, longestWait)

		if p.isLeft() {
			p.set(func(st *Status) { st.State = Ended })
			return
		}
	}
}

// once runs one incarnation to its end.
func (p *process) once(ctx context.Context) error {
	cmd := exec.Command(p.spec.Path, p.spec.Args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.spec.Env, p.log, p.log
	// Wait gives up on a grandchild that keeps the output open.
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.spec.Credential}
	if p.socket != nil {
		cmd.ExtraFiles = []*os.File{p.socket}
	}

	// The lock covers the check and the start. Otherwise leave and signal could come
	// between them, and the process started after them would run on.
	p.mu.Lock()
	if p.left {
		p.mu.Unlock()
		return nil
	}

	exited, err := Start(cmd, p.spec.DeathSignal)
	if err != nil {
		p.mu.Unlock()
		return fmt.Errorf("start: %w", err)
	}

	p.cmd = cmd
	p.mu.Unlock()
	p.set(func(st *Status) { st.State, st.PID = Starting, cmd.Process.Pid; st.Starts++ })

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go p.awaitReady(ctx, cmd.Process.Pid)
	hung := make(chan error, 1)
	go func() { hung <- p.watch(ctx, cmd.Process) }()

	err = <-exited
	p.mu.Lock()
	p.cmd = nil
	p.mu.Unlock()

	cancel()
	return cmp.Or(<-hung, err)
}

// awaitReady polls until the incarnation pid is ready, or ctx ends.
func (p *process) awaitReady(ctx context.Context, pid int) {
	pause := firstLook
	for p.spec.Ready != nil {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := p.spec.Ready(try)
		cancel()
		if err == nil {
			break
		}
		p.note(err.Error())

		select {
		case <-time.After(pause):
			pause = min(pause*5/4, longestLook)
		case <-ctx.Done():
			return
		}
	}

	if ctx.Err() != nil {
		return
	}

	p.set(func(st *Status) {
		// A late answer may be of the incarnation before.
		if st.PID != pid {
			return
		}

		st.State, st.NotReady = Ready, ""
		if !p.ready {
			p.ready = true
			close(p.wasReady)
		}
	})
}

// note keeps why the process is not ready. OnChange is not called for it.
func (p *process) note(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.st.NotReady = why
}

// leave makes sure that the process is not started again. It does not end it.
func (p *process) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.left {
		p.left = true
		close(p.leaving)
	}
}

func (p *process) isLeft() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left
}

func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(sig) // it may have ended by itself
	}
}

// Status is a copy of the process's state.
func (p *process) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.st
}

func (p *process) set(change func(*Status)) {
	p.mu.Lock()

	before := p.st.State
	change(&p.st)
	if p.st.State != before {
		p.st.Since = time.Now()
	}

	st := p.st

	// OnChange is called without the lock, so that it may ask for the status.
	p.mu.Unlock()
	p.sup.changed(st)
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}
