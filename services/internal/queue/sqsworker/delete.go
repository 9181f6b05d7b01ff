package sqsworker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const deleteTries = 5

// deletion is one message's place in a batch of deletes.
type deletion struct {
	receipt string
	result  chan error // buffered: deleteBatch never waits for the caller, who may have left
}

// deleted deletes f and reports whether SQS acknowledged it. The heartbeats go on
// while it is tried; after the last try the message comes again.
func (w *Worker) deleted(ctx context.Context, f *inFlight) bool {
	retry := newBackoff()
	for try := 1; ; try++ {
		err := w.deleteOnce(ctx, f)
		if err == nil {
			return true
		}
		w.o.Metrics.DeleteFailed()
		w.o.Log.Warn("delete failed", "queue", w.o.Queue, "message_id", f.ID, "try", try, "err", err)

		// A lost message may be in flight at another worker, which settles it.
		if try == deleteTries || f.lost() || !pause(ctx, retry.NextBackOff()) {
			return false
		}
	}
}

func (w *Worker) deleteOnce(ctx context.Context, f *inFlight) error {
	d := deletion{receipt: f.receipt, result: make(chan error, 1)}
	select {
	case w.deletes <- d:
	case <-ctx.Done():
		return context.Cause(ctx)
	}

	// Only after deleteLoop has taken it: the last chain to stop being busy ends the
	// linger, and its own delete must be in the batch by then.
	if !f.deleting {
		f.deleting = true
		w.slots.change(0, 1)
		w.notBusy()
	}

	select {
	case err := <-d.result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// notBusy takes a chain off busy: it asks for no delete before another chain's delete,
// or its own, has been answered.
func (w *Worker) notBusy() {
	if w.busy.Add(-1) > 0 {
		return
	}
	select {
	case w.idle <- struct{}{}:
	default: // there is a token already: deleteLoop looks at busy when it takes it
	}
}

// deleteLoop collects deletes and sends them as one batch: when there are ten, when
// no handler is running whose delete could join them, or after Linger. It ends with
// ctx.
func (w *Worker) deleteLoop(ctx context.Context) {
	for {
		var batch []deletion
		select {
		case <-ctx.Done():
			return
		case d := <-w.deletes:
			batch = append(batch, d)
		}

		linger := time.NewTimer(w.o.Linger)
		for more := true; more && len(batch) < maxBatch; {
			select {
			case d := <-w.deletes:
				batch = append(batch, d)
			case <-w.idle:
				more = w.busy.Load() > 0 // the token may be an old one
			case <-linger.C:
				more = false
			}
		}
		linger.Stop()

		// In the background, so that a slow call holds up no other delete.
		w.background.Go(func() { w.deleteBatch(ctx, batch) })
	}
}

func (w *Worker) deleteBatch(ctx context.Context, batch []deletion) {
	ctx, cancel := context.WithTimeout(ctx, w.o.callWithin())
	defer cancel()

	// Each deletion gets its own answer: SQS may refuse some of a batch.
	failed, err := w.callDelete(ctx, batch)
	for i, d := range batch {
		e := err
		if f := failed[i]; f != nil {
			e = fmt.Errorf("sqsworker: delete: %s: %s", aws.ToString(f.Code), aws.ToString(f.Message))
		}
		d.result <- e
	}
}

func (w *Worker) callDelete(ctx context.Context, batch []deletion) (map[int]*types.BatchResultErrorEntry, error) {
	url, err := w.queue.get(ctx)
	if err != nil {
		return nil, err
	}

	in := &sqs.DeleteMessageBatchInput{QueueUrl: &url}
	for i, d := range batch {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(d.receipt)})
	}

	out, err := w.o.Client.DeleteMessageBatch(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("sqsworker: delete: %w", err)
	}
	return failures(out.Failed), nil
}
