package sqsworker

import (
	"context"
	"strings"
)

// chain is messages that are handled one after the other.
type chain struct {
	key      string
	messages []*inFlight
}

// chains puts the messages of a FIFO queue together by group, in the queue's
// order. On a standard queue each message is a chain by itself.
func chains(messages []*inFlight, fifo bool) []chain {
	var out []chain
	at := map[string]int{}

	for _, f := range messages {
		key := f.ID
		if fifo {
			key = f.Group
		}

		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, chain{key: key})
		}
		out[i].messages = append(out[i].messages, f)
	}
	return out
}

// start runs each chain in a goroutine of its own, after what this worker still
// does with the same key.
func (w *Worker) start(ctx, life context.Context, messages []*inFlight) {
	all := chains(messages, strings.HasSuffix(w.o.Queue, fifoSuffix))
	w.busy.Add(int64(len(all))) // before any begins: the first to end would take itself for the last
	for _, chain := range all {
		done := make(chan struct{})
		w.mu.Lock()
		before := w.tails[chain.key]
		w.tails[chain.key] = done
		w.mu.Unlock()

		w.running.Go(func() {
			defer w.notBusy()
			defer w.ended(chain.key, done)

			// SQS hands out a group's next messages when the earlier ones are
			// deleted, which is before this worker's chain has ended; and a
			// standard queue may deliver a message twice. Either waits here.
			if before != nil {
				w.notBusy()
				<-before
				w.busy.Add(1)
			}
			w.runChain(ctx, life, chain.messages)
		})
	}
}

func (w *Worker) ended(key string, done chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()

	// A newer chain of the same key may have taken the place; it stays.
	if w.tails[key] == done {
		delete(w.tails, key)
	}
	close(done)
}

// runChain handles one message after the other. When one is not done, or ctx has
// ended, it releases the rest, so that the order is kept.
func (w *Worker) runChain(ctx, life context.Context, messages []*inFlight) {
	for i, f := range messages {
		if ctx.Err() != nil {
			w.release(life, messages[i:])
			return
		}
		goOn := w.handle(life, f)
		w.freeSlot(f)
		if !goOn {
			w.release(life, messages[i+1:])
			return
		}
	}
}

// release makes messages visible that were not handled, and frees their slots.
func (w *Worker) release(life context.Context, messages []*inFlight) {
	w.makeVisible(life, 0, messages...)
	w.slots.change(len(messages), 0)
}

// freeSlot frees the slot of a message that was handled.
func (w *Worker) freeSlot(f *inFlight) {
	if !f.deleting {
		w.slots.change(1, 0)
		return
	}
	w.slots.change(1, -1)
	w.busy.Add(1) // its chain goes on
}
