package sqsworker

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Dependency is something that handlers need, such as a database. It is away while
// it does not answer, or answers that it cannot work now. That is no failure of a
// message: a handler that asks through Do keeps its message and tries again, and a
// worker that has the Dependency among its Needs receives nothing meanwhile. So no
// receive is counted, and no message becomes a dead letter because of it, as long as it
// is back before the handlers' time is over. A Dependency must not be copied.
type Dependency struct {
	Name string
	// Away reports whether the error of a try says that the dependency is away.
	Away  func(error) bool
	Every time.Duration // between two tries; 0: 2 s

	mu      sync.Mutex
	err     error // of the last try, if that said "away"
	waiting int   // calls of Do that will try again
	served  int   // tries in which the dependency was not away
}

// ownFault is the number of failed tries after which an error counts as the
// message's own, if as many tries for other messages have succeeded meanwhile.
const ownFault = 5

// Do calls f until it returns anything but an error that says "away", or until ctx
// ends. It also gives up if other calls succeed all the while: then the fault is
// f's own, and waiting would not help.
func (d *Dependency) Do(ctx context.Context, f func(context.Context) error) error {
	first, waits := 0, false
	defer func() { d.wait(waits, false) }()

	for try := 1; ; try++ {
		err := f(ctx)
		away := err != nil && d.Away(err)
		if ctx.Err() != nil {
			return err // f was interrupted: its error says nothing of the dependency
		}

		served := d.note(err, away)
		if try == 1 {
			first = served
		}
		if !away || try >= ownFault && served-first >= ownFault {
			return err
		}

		d.wait(waits, true)
		waits = true
		every := d.Every
		if every == 0 {
			every = 2 * time.Second
		}
		if !pause(ctx, every) {
			return err
		}
	}
}

// note keeps what a try said, and returns how many tries were served so far.
func (d *Dependency) note(err error, away bool) (served int) {
	d.mu.Lock()
	defer d.mu.Unlock()

	if away {
		d.err = err
		return d.served
	}
	d.err = nil
	d.served++
	return d.served
}

// wait changes whether a call of Do waits.
func (d *Dependency) wait(was, is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()

	if !was && is {
		d.waiting++
	}
	if was && !is {
		d.waiting--
	}
}

// Err returns why the dependency is away, or nil. It returns nil also when nobody
// tries any more: then the next message has to find out.
func (d *Dependency) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()

	if d.err == nil || d.waiting == 0 {
		return nil
	}
	return fmt.Errorf("%s is away; no message is taken until it is back: %w", d.Name, d.err)
}

// awayEvery is how often the worker looks whether all of its Needs are back.
const awayEvery = 250 * time.Millisecond

// awaitNeeds waits until nothing that the handlers need is away. It reports
// whether it had to wait; ctx may have ended.
func (w *Worker) awaitNeeds(ctx context.Context) (waited bool) {
	for {
		err := w.needed()
		if err == nil {
			return waited
		}

		w.setReady(err)
		waited = true
		if !pause(ctx, awayEvery) {
			return true
		}
	}
}

func (w *Worker) needed() error {
	for _, d := range w.o.Needs {
		if err := d.Err(); err != nil {
			return err
		}
	}
	return nil
}
