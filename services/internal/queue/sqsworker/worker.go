package sqsworker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	fifoSuffix = ".fifo"
	maxBackoff = 10 * time.Second
	// drainGrace is for handlers to return after their ctx ended with ErrDraining.
	drainGrace = time.Second
)

// Worker receives, handles and settles messages. New returns one; start it once
// with Run.
type Worker struct {
	o           Options
	queue, dead *queueURL
	slots       *slots // one for each message that may still be received
	deletes     chan deletion
	busy        atomic.Int64  // chains that may ask for a delete while none of the deletes that wait is answered
	idle        chan struct{} // buffered: holds a token when busy has come to 0
	handling    atomic.Int64
	counts      counts
	pollers     atomic.Int64
	polling     sync.WaitGroup // pollers beside receiveLoop
	running     sync.WaitGroup // chains of messages
	background  sync.WaitGroup // heartbeat, deletes

	mu       sync.Mutex
	inFlight map[*inFlight]struct{}
	warned   map[string]bool          // what has been logged once, by its text
	tails    map[string]chan struct{} // closed when the newest chain of that key has ended
	ready    error
}

var errNotStarted = errors.New("sqsworker: the queue has not answered yet")

// New checks the options; it calls nothing.
func New(o Options) (*Worker, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}

	queue, dead := newQueueURL(o.Client, o.Queue), newQueueURL(o.Client, o.DeadLetterQueue)
	o.Queue, o.DeadLetterQueue = queue.name, dead.name // for logs and for Check
	w := &Worker{
		o: o, queue: queue, dead: dead,
		slots: newSlots(o.MaxInFlight), deletes: make(chan deletion), idle: make(chan struct{}, 1),
		inFlight: map[*inFlight]struct{}{}, warned: map[string]bool{}, tails: map[string]chan struct{}{}, ready: errNotStarted,
	}
	return w, nil
}

// Run works until ctx ends and returns nil after a clean drain. The error says
// how many handlers ignored their ended ctx; their messages are released.
func (w *Worker) Run(ctx context.Context) error {
	// Stopping happens in this order: ctx ends, and the worker receives no more;
	// handling ends, and handlers must return; life ends when the last message is
	// settled, because heartbeats and deletes are needed until then.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	handling, stopHandling := context.WithCancelCause(life)
	defer stopHandling(nil)

	w.background.Go(func() { w.heartbeat(life) })
	w.background.Go(func() { w.deleteLoop(life) })
	w.pollers.Store(1)
	w.receiveLoop(ctx, life, handling)
	w.polling.Wait() // they end with ctx; what they have received is drained too

	err := w.drain(life, stopHandling)
	end()
	w.background.Wait()
	return err
}

// Ready returns nil while the queue answers and is set up as the worker needs
// it, and nothing that the handlers need is away; otherwise a *SetupError, SQS's
// last error, or the Dependency's.
func (w *Worker) Ready() error {
	if err := w.needed(); err != nil {
		return err
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ready
}

func (w *Worker) setReady(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready = err
}

// drain waits for the handlers: first for Drain, then, with their ctx ended, for
// drainGrace.
func (w *Worker) drain(life context.Context, stopHandling context.CancelCauseFunc) error {
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	if within(done, w.o.Drain) {
		return nil
	}

	stopHandling(ErrDraining)
	if within(done, drainGrace) {
		return nil
	}

	// These handlers ignore their ctx. Another worker gets their messages now,
	// rather than when the visibility runs out.
	left := w.allInFlight()
	w.makeVisible(life, 0, left...)
	return fmt.Errorf("%w: %d handlers of %s did not return; their messages are released", ErrDraining, len(left), w.o.Queue)
}

// within reports whether done was closed before d had passed.
func within(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// pause reports whether it waited for all of d; false: ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func newBackoff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 100*time.Millisecond, maxBackoff
	return b
}
