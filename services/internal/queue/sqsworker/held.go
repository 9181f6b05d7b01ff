package sqsworker

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// held is one message on loan.
type held struct {
	Message
	receipt string
	ctx     context.Context // ends with the loan
	cancel  context.CancelCauseFunc
	expire  *time.Timer // ends ctx a margin before the loan ends

	// mu is held across a renewal, so that no heartbeat overtakes the change
	// of visibility that settles the message.
	mu      sync.Mutex
	until   time.Time // the loan's end, as far as the worker knows
	stop    time.Time // no renewal from here on; zero before its handler began
	settled bool
}

func (w *Worker) hold(ctx context.Context, m types.Message, got time.Time) *held {
	h := &held{Message: newMessage(m), receipt: aws.ToString(m.ReceiptHandle), until: got.Add(w.o.Visibility)}
	h.ctx, h.cancel = context.WithCancelCause(ctx)
	h.expire = time.AfterFunc(w.o.Visibility-w.o.margin(), func() { h.cancel(ErrLost) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[h] = struct{}{}
	return h
}

// lost says whether the loan ended before the message was let go.
func (h *held) lost() bool { return errors.Is(context.Cause(h.ctx), ErrLost) }

// letGo ends the worker's interest in h: no heartbeat is under way or follows.
func (w *Worker) letGo(h *held) {
	h.mu.Lock()
	h.settled = true
	h.mu.Unlock()
	h.expire.Stop()
	h.cancel(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.held, h)
}

func (w *Worker) allHeld() []*held {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*held, 0, len(w.held))
	for h := range w.held {
		all = append(all, h)
	}
	return all
}

// heartbeat renews what is past half of its time until ctx ends. It looks
// eight times in a Visibility, so a renewal that fails has a few more tries.
func (w *Worker) heartbeat(ctx context.Context) {
	tick := time.NewTicker(w.o.Visibility / 8)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all := w.allHeld()
		for len(all) > 0 {
			n := min(len(all), maxBatch)
			w.renew(ctx, all[:n])
			all = all[n:]
		}
	}
}

func (w *Worker) renew(ctx context.Context, hs []*held) {
	now := time.Now()
	var due []*held
	for _, h := range hs {
		h.mu.Lock()
		defer h.mu.Unlock()
		past := !h.stop.IsZero() && !now.Before(h.stop)
		if !h.settled && !past && h.ctx.Err() == nil && h.until.Sub(now) <= w.o.Visibility/2 {
			due = append(due, h)
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
	for i, h := range due {
		switch e := failed[i]; {
		case e == nil:
			// Counted from before the call: SQS's clock started later.
			h.until = now.Add(w.o.Visibility)
			if h.expire.Stop() {
				h.expire.Reset(time.Until(h.until) - w.o.margin())
			}
		case e.SenderFault: // no longer in flight: deleted, or another's
			h.cancel(ErrLost)
		}
	}
}

// changeVisibility makes hs, at most ten, visible again after d. Failed
// entries come back by their index.
func (w *Worker) changeVisibility(ctx context.Context, hs []*held, d time.Duration) (map[int]*types.BatchResultErrorEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, w.o.callWithin())
	defer cancel()
	url, err := w.queue.get(ctx)
	if err != nil {
		return nil, err
	}
	in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url}
	for i, h := range hs {
		in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &h.receipt, VisibilityTimeout: seconds(d),
		})
	}
	out, err := w.o.Client.ChangeMessageVisibilityBatch(ctx, in)
	if err != nil {
		return nil, err
	}
	return failures(out.Failed), nil
}

func failures(entries []types.BatchResultErrorEntry) map[int]*types.BatchResultErrorEntry {
	out := make(map[int]*types.BatchResultErrorEntry, len(entries))
	for i := range entries {
		if n, err := strconv.Atoi(aws.ToString(entries[i].Id)); err == nil {
			out[n] = &entries[i]
		}
	}
	return out
}

// seconds rounds up, within what SQS takes.
func seconds(d time.Duration) int32 {
	d = min(max(d, 0), maxVisibility)
	return int32((d + time.Second - 1) / time.Second)
}
