package sqsworker

import (
	"context"
	"time"
)

// slowReceive is how long a receive takes at least where a second one beside it gains
// something. Below it, as with a queue on the same machine, processors are the limit:
// there three pollers handled 3,500 messages a second, and one 5,300 (2 busy cores).
const slowReceive = 4 * time.Millisecond

// grow starts one more poller, if there may be one. The caller's receive took long and
// came back full, so more messages are waiting.
func (w *Worker) grow(ctx, life, handling context.Context) {
	if w.pollers.Add(1) > int64(w.o.MaxPollers) {
		w.pollers.Add(-1)
		return
	}

	w.polling.Go(func() {
		defer w.pollers.Add(-1)
		w.receiveMore(ctx, life, handling)
	})
}

// receiveMore receives beside receiveLoop, by the same rules. It ends with the first
// receive that returns nothing. What a failure means is for receiveLoop to find out,
// which goes on.
func (w *Worker) receiveMore(ctx, life, handling context.Context) {
	for {
		// A whole batch or nothing: otherwise the pollers would share the slots that are
		// free, and make more calls for as many messages.
		n := w.slots.take(ctx, w.o.BatchSize, w.o.BatchSize, w.o.Linger)
		if n == 0 {
			return
		}
		if w.needed() != nil {
			w.slots.change(n, 0)
			return
		}

		asked := time.Now()
		got, err := w.receive(ctx, n, firstWait)
		w.slots.change(n-len(got), 0)
		if err != nil {
			w.o.Log.Debug("receive failed; this poller ends", "queue", w.o.Queue, "err", err)
			return
		}
		w.start(ctx, life, w.trackAll(handling, got))
		if len(got) == 0 {
			return
		}
		if len(got) == n && time.Since(asked) >= slowReceive {
			w.grow(ctx, life, handling)
		}
	}
}
