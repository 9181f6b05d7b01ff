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

type deletion struct {
	receipt string
	result  chan error // buffered: the loop never waits for the asker
}

// deleted says whether h is off the queue. The message stays on loan while it
// is tried; when it gives up, the message comes again.
func (w *Worker) deleted(ctx context.Context, h *held) bool {
	wait := newBackoff()
	for try := 1; ; try++ {
		err := w.deleteOnce(ctx, h)
		if err == nil {
			return true
		}
		w.o.Log.Warn("delete failed", "queue", w.o.Queue, "message_id", h.ID, "try", try, "err", err)
		if try == deleteTries || h.lost() || !pause(ctx, wait.NextBackOff()) {
			return false
		}
	}
}

func (w *Worker) deleteOnce(ctx context.Context, h *held) error {
	d := deletion{receipt: h.receipt, result: make(chan error, 1)}
	select {
	case w.deletes <- d:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-d.result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// deleteLoop gathers deletes for Linger, or up to ten, until ctx ends.
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
			case <-linger.C:
				more = false
			}
		}
		linger.Stop()
		w.background.Go(func() { w.deleteBatch(ctx, batch) })
	}
}

func (w *Worker) deleteBatch(ctx context.Context, batch []deletion) {
	ctx, cancel := context.WithTimeout(ctx, w.o.callWithin())
	defer cancel()
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
