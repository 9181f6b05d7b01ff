package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

const checkEvery = 5 * time.Second

// Relay sends rows. Any number may run: one works at a time.
type Relay struct {
	o Options

	mu       sync.Mutex
	urls     map[string]string
	queueErr map[string]error   // by queue: why nothing can be sent to it
	backoffs map[string]backoff // by queue
	roundErr error              // the last round's

	walks     map[string]walk // by queue; Round's alone
	turnRows  int             // a turn takes this many rows at most
	turnBytes int             // and this many bytes of bodies, or one body
}

// NewRelay returns a relay; Run runs it. The error names the option that is wrong.
func NewRelay(o Options) (*Relay, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}

	return &Relay{
		o: o, urls: map[string]string{}, queueErr: map[string]error{}, backoffs: map[string]backoff{},
		walks: map[string]walk{}, turnRows: turnRows, turnBytes: turnBytes,
	}, nil
}

// Run sends rows until ctx ends, and then returns nil. What failed is tried again.
func (r *Relay) Run(ctx context.Context) error {
	poll, check := time.NewTicker(r.o.PollEvery), time.NewTicker(checkEvery)
	defer poll.Stop()
	defer check.Stop()

	var beside sync.WaitGroup
	beside.Go(func() { r.pruneUntil(ctx) })
	defer beside.Wait()

	always := make(chan struct{})
	close(always)

	r.checkQueues(ctx)
	for ctx.Err() == nil {
		n, err := r.Round(ctx)
		r.setRoundErr(err)

		// After a round that moved something there may be more to do, if only the
		// next rows of the same keys.
		var more <-chan struct{}
		if n > 0 {
			more = always
		}

		// A wake may be lost, and a row may become due without one, so polling
		// goes on beside the wakes.
		select {
		case <-ctx.Done():
		case <-more:
		case <-r.o.Wake:
		case <-poll.C:
		case <-check.C:
			r.checkQueues(ctx)
		}
	}
	return nil
}

// Ready returns nil, or why messages cannot be sent now.
func (r *Relay) Ready(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()

	for _, queue := range slices.Sorted(maps.Keys(r.queueErr)) {
		return fmt.Errorf("outbox: %s: %w", queue, r.queueErr[queue])
	}
	return r.roundErr
}

func (r *Relay) setRoundErr(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if errors.Is(err, context.Canceled) { // Run is ending; nothing is wrong
		return
	}

	if err != nil && r.roundErr == nil {
		r.o.Log.Warn("messages cannot be sent; they wait in the outbox", "err", err)
	}

	r.roundErr = err
}
