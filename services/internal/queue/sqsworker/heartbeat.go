package sqsworker

import (
	"context"
	"slices"
	"sync"
	"time"
)

// heartbeat renews what is past half of its visibility until ctx ends. It looks
// eight times in a Visibility, so that a renewal that fails has a few more tries.
func (w *Worker) heartbeat(ctx context.Context) {
	tick := time.NewTicker(w.o.Visibility / 8)
	defer tick.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}

		// Concurrently: if the calls are slow, the last of a sequence would come too
		// late for its messages.
		var calls sync.WaitGroup
		for batch := range slices.Chunk(w.allInFlight(), maxBatch) {
			calls.Go(func() { w.renew(ctx, batch) })
		}
		calls.Wait()
	}
}

// renew starts the visibility again for those of at most ten messages that are
// due.
func (w *Worker) renew(ctx context.Context, messages []*inFlight) {
	now := time.Now()

	// The locks stay until the call is answered, so that none of these messages
	// is settled meanwhile. Only heartbeats lock several, and no two of them the
	// same ones, so the order in which they lock them does not matter.
	var due []*inFlight
	for _, f := range messages {
		f.mu.Lock()
		defer f.mu.Unlock()
		if w.due(f, now) {
			due = append(due, f)
		}
	}

	if len(due) == 0 {
		return
	}

	failed, err := w.changeVisibility(ctx, due, w.o.Visibility)
	if err != nil {
		w.o.Log.Warn("heartbeat failed; it is tried again while the messages are ours", "queue", w.o.Queue, "messages", len(due), "err", err)
		return
	}

	for i, f := range due {
		switch e := failed[i]; {
		case e == nil:
			// Counted from before the call: SQS's clock started later, so the
			// worker never believes in more time than it has.
			f.until = now.Add(min(w.o.Visibility, w.longest(f, now)))
			if f.expire.Stop() {
				f.expire.Reset(time.Until(f.until) - w.o.margin())
			}
		case e.SenderFault:
			// SQS says that the message is no longer in flight: it was deleted,
			// or it is visible again for another worker. There is nothing to wait for.
			f.cancel(ErrLost)
		}

		// Any other failure is SQS's own and may pass: the next tick tries again.
	}
}

// due reports whether f needs a heartbeat. A handler that is past its deadline
// gets none, so that a handler that hangs does not keep its message for ever; nor does
// a message that SQS will not hide any longer.
func (w *Worker) due(f *inFlight, now time.Time) bool {
	//excerpt:due
	late := !f.deadline.IsZero() && !now.Before(f.deadline)
	left := f.until.Sub(now)
	return !f.settled && !late && f.ctx.Err() == nil && left <= w.o.Visibility/2 && left < w.longest(f, now)
	//excerpt:end
}
