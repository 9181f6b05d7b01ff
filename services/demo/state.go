package demo

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"tandem/services/demo/runfile"
	"tandem/services/demo/supervisor"
)

// runState is the run file's content, kept up to date as processes start and end.
type runState struct {
	d       *demo
	mu      sync.Mutex
	run     runfile.Run
	written bool              // write was called: changes are written from then on
	ended   map[string]ending // by process: of those that are being started again
}

// ending is how a process ended.
type ending struct {
	pid int
	why string
}

func newRunState(d *demo) *runState {
	s := &runState{d: d, ended: map[string]ending{}, run: runfile.Run{
		Version: d.Version, PID: os.Getpid(), Gateway: d.addrs["gateway"], Backend: d.Backend, AWSEndpoint: d.settings["AWS_ENDPOINT"], AWSRegion: d.AWSRegion,
		OperatorKey: d.settings["OPERATOR_KEY"], SigningKey: d.settings["SIGNING_KEY"], Ledger: d.ledger(),
	}}

	if d.DatabaseURL == "" {
		s.run.Processes = append(s.run.Processes, runfile.Process{Name: "postgres", Role: "postgres"})
	}

	for _, r := range d.rows {
		s.run.Processes = append(s.run.Processes, runfile.Process{Name: r.name, Role: r.role, URL: d.addrs[r.name]})
	}

	return s
}

// write writes the file for the first time, once the database's address is known.
func (s *runState) write() error {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.run.DatabaseURL, s.written = s.d.settings["DATABASE_URL"], true
	return runfile.Write(s.d.folder.dir, s.run)
}

// add and remove keep the list of processes, as workers come and go.
func (s *runState) add(p runfile.Process) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.run.Processes = append(s.run.Processes, p)
	return runfile.Write(s.d.folder.dir, s.run)
}

func (s *runState) remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.run.Processes = slices.DeleteFunc(s.run.Processes, func(p runfile.Process) bool { return p.Name == name })
	return runfile.Write(s.d.folder.dir, s.run)
}

func (s *runState) get() runfile.Run {
	s.mu.Lock()
	defer s.mu.Unlock()

	// The copy is read without the lock, while changed writes to the slice.
	r := s.run
	r.Processes = append([]runfile.Process(nil), r.Processes...)
	return r
}

// changed keeps the run file's pids up to date; the supervisor calls it on every
// change of a process's state.
func (d *demo) changed(st supervisor.Status) {
	s := d.run
	s.mu.Lock()
	defer s.mu.Unlock()

	for i := range s.run.Processes {
		p := &s.run.Processes[i]
		if p.Name != st.Name || p.PID == st.PID {
			continue
		}

		d.tellRestart(*p, st)
		p.PID = st.PID
		// Before the first write the database's address is missing. A process ends for
		// good when the demo stops, and the file is removed then.
		if !s.written || st.State == supervisor.Ended {
			continue
		}

		if err := runfile.Write(d.folder.dir, s.run); err != nil {
			d.log.Warn("the run file is out of date", "err", err)
		}
	}
}

// tellRestart prints which process was started again, and why. before is the
// process as the run file has it, with the pid that it had until now.
func (d *demo) tellRestart(before runfile.Process, st supervisor.Status) {
	switch st.State {
	case supervisor.Down:
		d.run.ended[st.Name] = ending{before.PID, st.LastExit}
	case supervisor.Starting:
		if was, ok := d.run.ended[st.Name]; ok {
			d.screen.line(fmt.Sprintf(" %s  %s ended (pid %d): %s; started again as pid %d",
				time.Now().Format(time.TimeOnly), st.Name, was.pid, was.why, st.PID))
			delete(d.run.ended, st.Name)
		}
	}
}
