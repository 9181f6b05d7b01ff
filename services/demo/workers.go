package demo

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	"tandem/services/demo/runfile"
	"tandem/services/internal/workersfile"
)

// workers are the dispatch processes: those that were asked for, those that were told
// to end and still finish what they hold, and the last decision on their number. Its
// methods are safe for concurrent use.
type workers struct {
	mu       sync.Mutex
	running  []worker // in the order in which they came
	leaving  []string
	decision *workersfile.Decision
	retiring sync.WaitGroup
}

type worker struct {
	workersfile.Worker
	told bool // the console is to ask it, and to miss it
}

func (w *workers) add(name, url string, told bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = append(w.running, worker{workersfile.Worker{Name: name, URL: url}, told})
}

// ready notes that a worker works, so that it is missed from now on.
func (w *workers) ready(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.running {
		if w.running[i].Name == name {
			w.running[i].told = true
		}
	}
}

// leave takes a worker from those that run.
func (w *workers) leave(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = slices.DeleteFunc(w.running, func(r worker) bool { return r.Name == name })
	w.leaving = append(w.leaving, name)
}

// gone ends what leave began.
func (w *workers) gone(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaving = slices.DeleteFunc(w.leaving, func(l string) bool { return l == name })
}

// names returns the workers that run, in the order in which they came.
func (w *workers) names() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.running {
		out = append(out, r.Name)
	}
	return out
}

// free returns the row of the first worker whose name nobody has.
func (w *workers) free() row {
	taken := w.names()
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := 1; ; n++ {
		if r := workerRow(n); !slices.Contains(taken, r.name) && !slices.Contains(w.leaving, r.name) {
			return r
		}
	}
}

func (d *demo) workersFile() string { return d.folder.path("workers.json") }

// tellWorkers writes which workers run, and why as many, for the console.
func (d *demo) tellWorkers() error {
	d.workers.mu.Lock()
	defer d.workers.mu.Unlock()

	f := workersfile.File{Workers: []workersfile.Worker{}, Decision: d.workers.decision}
	for _, w := range d.workers.running {
		if w.told {
			f.Workers = append(f.Workers, w.Worker)
		}
	}
	return workersfile.Write(d.workersFile(), f)
}

// addWorker starts one more worker. Until ctx ends it is waited for, and told to the
// console when it works: what is still starting is nothing that fails.
func (d *demo) addWorker(ctx context.Context) error {
	r := d.workers.free().complete(d.Options)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for %s: %w", r.name, err)
	}

	// The run file first: a change of the process's state looks for it there.
	url := "http://" + l.Addr().String()
	if err := d.run.add(runfile.Process{Name: r.name, Role: r.role, URL: url}); err != nil {
		return err
	}
	if err := d.startRow(r, l.(*net.TCPListener)); err != nil {
		return err
	}

	d.workers.add(r.name, url, false)
	go func() {
		if d.sup.WaitReady(ctx, r.name) == nil {
			d.workers.ready(r.name)
			d.warnConsole(d.tellWorkers())
		}
	}()
	return nil
}

func (d *demo) warnConsole(err error) {
	if err != nil {
		d.log.Warn("the console does not hear of the workers", "err", err)
	}
}

// retire tells a worker to end. It takes no more messages, and what it holds it
// finishes, or hands over through the outbox.
func (d *demo) retire(name string) {
	// Before it ends: then nobody misses it.
	d.workers.leave(name)
	d.warnConsole(d.tellWorkers())

	d.workers.retiring.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		d.sup.Retire(ctx, name)

		if err := d.run.remove(name); err != nil {
			d.log.Warn("the run file is out of date", "err", err)
		}
		d.workers.gone(name)
	})
}

// leastBusy returns which of the running workers to retire: the one that holds the
// fewest messages, and among equals the newest.
func (o overview) leastBusy(running []string) string {
	least, fewest := "", 0
	for _, name := range running {
		held := o.held(name)
		if least == "" || held <= fewest {
			least, fewest = name, held
		}
	}
	return least
}

// unknownHeld is more than any worker holds: of one that does not answer it is not
// known that it has nothing to do.
const unknownHeld = 1 << 30

func (o overview) held(name string) int {
	for _, w := range o.Workers {
		if w.Name == name && w.OK && w.Handling != nil {
			return *w.Handling
		}
	}
	return unknownHeld
}
