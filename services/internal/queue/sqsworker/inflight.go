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

// inFlight is one message that this worker has received and not settled yet.
type inFlight struct {
	Message
	receipt  string
	received time.Time                              // from here SQS counts 12 h of visibility at most
	raw      map[string]types.MessageAttributeValue // the message's attributes, each with its type
	ctx      context.Context                        // ends with the visibility
	cancel   context.CancelCauseFunc
	expire   *time.Timer // ends ctx a margin before the visibility ends

	deleting bool // its delete is under way; only its chain's goroutine uses it

	// mu is locked for the whole of a heartbeat's call, so that no heartbeat
	// overtakes the change of visibility that settles the message.
	mu       sync.Mutex
	until    time.Time // when the visibility ends, as far as the worker knows
	deadline time.Time // the handler's, after which no heartbeat follows; zero before the handler starts
	settled  bool
}

// track begins to keep a message that was received at the given time.
func (w *Worker) track(ctx context.Context, m types.Message, received time.Time) *inFlight {
	f := &inFlight{Message: newMessage(m), receipt: aws.ToString(m.ReceiptHandle), raw: m.MessageAttributes, received: received, until: received.Add(w.o.Visibility)}
	f.ctx, f.cancel = context.WithCancelCause(ctx)

	// The margin leaves the handler time to return before another worker can
	// receive the message. It also covers the time that SQS's answer was under
	// way: SQS counts the visibility from before it.
	f.expire = time.AfterFunc(w.o.Visibility-w.o.margin(), func() { f.cancel(ErrLost) })

	w.mu.Lock()
	w.inFlight[f] = struct{}{}
	w.mu.Unlock()
	w.o.Metrics.Held(1)
	return f
}

// longest is how long f may still stay hidden. SQS hides a message for 12 hours at
// most after its receive, and refuses a change of visibility that asks for more. The
// margin covers the time that SQS's answer was under way.
func (w *Worker) longest(f *inFlight, now time.Time) time.Duration {
	left := f.received.Add(maxVisibility - w.o.margin()).Sub(now)
	return max(left.Truncate(time.Second), 0)
}

// lost reports whether the visibility ended before the message was settled.
func (f *inFlight) lost() bool { return errors.Is(context.Cause(f.ctx), ErrLost) }

// untrack ends the worker's interest in f: when it returns, no heartbeat for f
// is under way and none follows.
func (w *Worker) untrack(f *inFlight) {
	f.mu.Lock()
	f.settled = true
	f.mu.Unlock()

	f.expire.Stop()
	f.cancel(nil)

	w.mu.Lock()
	_, held := w.inFlight[f]
	delete(w.inFlight, f)
	w.mu.Unlock()
	if held { // a released message is settled once more when its handler returns
		w.o.Metrics.Held(-1)
	}
}

// Held is a message that a worker has in flight.
type Held struct {
	MessageID string `json:"message_id"`
	Receives  int    `json:"receives"` // this worker's included
}

// InFlight returns the messages that this worker has received and not settled yet,
// in no order.
func (w *Worker) InFlight() []Held {
	held := []Held{}
	for _, f := range w.allInFlight() {
		held = append(held, Held{MessageID: f.ID, Receives: f.Receives})
	}
	return held
}

func (w *Worker) allInFlight() []*inFlight {
	w.mu.Lock()
	defer w.mu.Unlock()

	all := make([]*inFlight, 0, len(w.inFlight))
	for f := range w.inFlight {
		all = append(all, f)
	}
	return all
}

// makeVisible ends the worker's interest in messages and makes them visible
// again after d. Where the call fails, they come again when their visibility
// runs out.
func (w *Worker) makeVisible(ctx context.Context, d time.Duration, messages ...*inFlight) {
	var ours []*inFlight
	for _, f := range messages {
		w.untrack(f)

		// A lost message may be in flight at another worker by now: an old
		// receipt must not change its visibility.
		if !f.lost() {
			ours = append(ours, f)
		}
	}

	for len(ours) > 0 {
		n := min(len(ours), maxBatch)
		failed, err := w.changeVisibility(ctx, ours[:n], d)
		if err != nil || len(failed) > 0 {
			w.o.Log.Warn("messages could not be made visible; they come again when their visibility runs out",
				"queue", w.o.Queue, "messages", n, "failed", len(failed), "err", err)
		}
		ours = ours[n:]
	}
}

// changeVisibility makes at most ten messages visible again after d, or sooner where
// SQS would refuse d. It returns the entries that failed, by their index.
func (w *Worker) changeVisibility(ctx context.Context, messages []*inFlight, d time.Duration) (map[int]*types.BatchResultErrorEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, w.o.callWithin())
	defer cancel()

	url, err := w.queue.get(ctx)
	if err != nil {
		return nil, err
	}

	now := time.Now()
	in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url}
	for i, f := range messages {
		d := min(d, w.longest(f, now))
		in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &f.receipt, VisibilityTimeout: seconds(d),
		})
	}

	out, err := w.o.Client.ChangeMessageVisibilityBatch(ctx, in)
	if err != nil {
		return nil, err
	}
	return failures(out.Failed), nil
}

// failures indexes the failed entries of a batch by the numbers that were sent
// as their ids.
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
