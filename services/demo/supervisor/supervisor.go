package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Spec is one row of the table.
type Spec struct {
	Name  string
	Stage int // started in rising order, stopped in falling order
	Path  string
	Args  []string // without the program's name
	Env   []string // the whole environment
	// Listener, when set, is inherited as file descriptor 3. The supervisor
	// owns it from Add on.
	Listener *net.TCPListener
	// Ready returns nil once the process serves. Nil: ready as soon as it runs.
	Ready func(ctx context.Context) error
	// Answers returns nil if the process answers anything, if only that it is not
	// ready. Nil: nobody notices if it hangs.
	Answers func(ctx context.Context) error
	// Credential is the user to run as; nil is this process's own user.
	Credential *syscall.Credential
	// StopSignal asks the process to end (0: SIGTERM). DeathSignal is sent to it
	// when the supervisor is killed (0: SIGKILL).
	StopSignal, DeathSignal syscall.Signal
}

// State of a process.
type State string

// The states.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Down     State = "down"  // died; waiting to be started again
	Ended    State = "ended" // stopped; it is not started again
)

// Status is what a screen shows of a process.
type Status struct {
	Name     string
	PID      int // 0 while it is down
	State    State
	Starts   int
	Since    time.Time // of State
	LastExit string    // how the incarnation before ended, or why it was killed
	NotReady string    // what Spec.Ready said last; empty once it is ready
}

// Options of a Supervisor.
type Options struct {
	Logs     string // the folder for log files
	Log      *slog.Logger
	OnChange func(Status) // called on every change of state, one at a time
	// HungAfter is how long a process that has answered before may answer nothing
	// until it is killed, and so started again; 0: for ever.
	HungAfter time.Duration
}

// Supervisor runs processes. Its methods are safe for concurrent use.
type Supervisor struct {
	opts   Options
	cancel context.CancelFunc
	ctx    context.Context

	mu      sync.Mutex
	procs   []*process
	stopped bool
	notify  sync.Mutex // serializes OnChange
}

// New returns a supervisor without processes.
func New(o Options) *Supervisor {
	ctx, cancel := context.WithCancel(context.Background())
	return &Supervisor{opts: o, ctx: ctx, cancel: cancel}
}

// ErrStopped is what Add returns after Stop.
var ErrStopped = errors.New("supervisor: stopped")

// Add starts a process and keeps it running until Stop.
func (s *Supervisor) Add(spec Spec) error {
	p, err := newProcess(s, spec)
	if err != nil {
		return err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.Join(ErrStopped, p.close())
	}

	s.procs = append(s.procs, p)
	go p.run(s.ctx)
	return nil
}

// WaitReady blocks until every named process (none: all) has been ready, or
// ctx ends; the error then names the first that is not and its last exit.
func (s *Supervisor) WaitReady(ctx context.Context, names ...string) error {
	for _, p := range s.pick(names) {
		select {
		case <-p.wasReady:
		case <-ctx.Done():
			st := p.Status()
			reason := "it runs but does not answer yet"
			if st.NotReady != "" {
				reason = st.NotReady
			}
			if st.LastExit != "" {
				reason = "it ended: " + st.LastExit
			}

			return fmt.Errorf("%s did not become ready (%s); its log is %s: %w", st.Name, reason, p.log.path, context.Cause(ctx))
		}
	}
	return nil
}

// End ends one process for good. The process gets its stop signal, and is killed
// when ctx ends or two thirds of the time until its deadline have passed.
func (s *Supervisor) End(ctx context.Context, name string) {
	procs := s.pick([]string{name})
	for _, p := range procs {
		p.leave()
	}
	s.stopStage(ctx, procs)
}

// Retire ends one process for good, as End does, and forgets it: Status does not list
// it any more, and its name may be added again.
func (s *Supervisor) Retire(ctx context.Context, name string) {
	s.End(ctx, name)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.procs = slices.DeleteFunc(s.procs, func(p *process) bool {
		if p.spec.Name != name || s.stopped { // stopped: Stop has it in its hands
			return false
		}
		s.closeProcess(p)
		return true
	})
}

// Status lists the processes in the order in which they were added.
func (s *Supervisor) Status() []Status {
	procs := s.pick(nil)
	out := make([]Status, len(procs))
	for i, p := range procs {
		out[i] = p.Status()
	}
	return out
}

// Stop ends all processes, the last stage first, and kills those that still run
// when ctx ends. No process runs when it returns.
func (s *Supervisor) Stop(ctx context.Context) {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()

	procs := s.pick(nil)
	// All are left before any ends: a service whose database stops must not be
	// started again in between.
	for _, p := range procs {
		p.leave()
	}

	for stage := range stages(procs) {
		s.stopStage(ctx, stage)
	}

	s.cancel()

	for _, p := range procs {
		<-p.done
		s.closeProcess(p)
	}
}

// closeProcess closes the log and the socket of a process that has ended for good.
func (s *Supervisor) closeProcess(p *process) {
	if err := p.close(); err != nil && !errors.Is(err, os.ErrClosed) {
		s.opts.Log.Warn("supervisor: close", "process", p.spec.Name, "err", err)
	}
}

// stopStage ends the processes of one stage. It waits for two thirds of the time
// that is left before it kills them, so that the stages below, which keep data,
// can end in order as well.
func (s *Supervisor) stopStage(ctx context.Context, procs []*process) {
	wait := time.Minute
	if d, ok := ctx.Deadline(); ok {
		wait = time.Until(d) * 2 / 3
	}
	timeout := time.NewTimer(wait)
	defer timeout.Stop()

	for _, p := range procs {
		p.signal(p.spec.StopSignal)
	}

	for _, p := range procs {
		select {
		case <-p.done:
			continue
		case <-timeout.C:
		case <-ctx.Done():
		}
		break // the time is over for all of them
	}

	for _, p := range procs {
		p.signal(syscall.SIGKILL)
		<-p.done
	}
}

func (s *Supervisor) pick(names []string) []*process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*process
	for _, p := range s.procs {
		if len(names) == 0 || slices.Contains(names, p.spec.Name) {
			out = append(out, p)
		}
	}
	return out
}

func (s *Supervisor) changed(st Status) {
	if s.opts.OnChange == nil {
		return
	}
	s.notify.Lock()
	defer s.notify.Unlock()
	s.opts.OnChange(st)
}
