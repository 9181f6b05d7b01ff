package sqsworker

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// firstWait is the shortest long poll: the SDK leaves out a 0, and then the
// queue's own ReceiveMessageWaitTimeSeconds counts, which is often 20 s.
const firstWait = time.Second

// receiveLoop receives as many messages as there are free slots until ctx ends.
func (w *Worker) receiveLoop(ctx, life, handling context.Context) {
	retry := newBackoff()
	wait := firstWait // the first poll is short, so that Ready soon reports nil

	for checked := false; ; {
		if !checked {
			if checked = w.awaitSetup(ctx); !checked {
				return
			}
		}

		//excerpt:slots
		// Slots are taken before the receive: a message that no handler is free
		// for stays on the queue, where another worker can receive it.
		n := w.slots.take(ctx, 1, w.o.BatchSize, w.o.Linger)
		if n == 0 {
			return
		}

		// After the slots are taken: a dependency may have gone away while the worker
		// waited for them. A short poll follows, so that Ready soon reports that it is
		// back.
		if w.awaitNeeds(ctx) {
			wait = firstWait
		}
		asked := time.Now()
		got, err := w.receive(ctx, n, wait)
		w.slots.change(n-len(got), 0)
		//excerpt:end
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			w.setReady(err)
			w.queue.forget(err)
			w.o.Log.Warn("receive failed", "queue", w.o.Queue, "err", err)

			// The queue may have been recreated with other settings.
			wait, checked = firstWait, false
			pause(ctx, retry.NextBackOff())
			continue
		}

		w.setReady(nil)
		wait = w.o.Wait
		retry.Reset()
		w.start(ctx, life, w.trackAll(handling, got))
		if len(got) == n && time.Since(asked) >= slowReceive {
			w.grow(ctx, life, handling)
		}
	}
}

func (w *Worker) receive(ctx context.Context, n int, wait time.Duration) ([]types.Message, error) {
	url, err := w.queue.get(ctx)
	if err != nil {
		return nil, err
	}

	// The receive names its visibility: the worker's clock and SQS's then agree,
	// whatever the queue's own setting is.
	out, err := w.o.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: int32(n), WaitTimeSeconds: seconds(wait), VisibilityTimeout: seconds(w.o.Visibility),
		MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
			types.MessageSystemAttributeNameSentTimestamp, types.MessageSystemAttributeNameMessageGroupId,
			types.MessageSystemAttributeNameAWSTraceHeader,
		},
	})
	if err != nil {
		return nil, w.queue.explain("receive from", err)
	}
	return out.Messages, nil
}

func (w *Worker) trackAll(handling context.Context, got []types.Message) []*inFlight {
	// The answer has just arrived: the visibility is counted from here.
	now := time.Now()
	out := make([]*inFlight, len(got))
	for i, m := range got {
		out[i] = w.track(handling, m, now)
		if out[i].Receives > 1 {
			w.counts.again.Add(1)
		}
		if !out[i].SentAt.IsZero() { // unknown is not the year 1
			w.o.Metrics.Received(out[i].Message, now.Sub(out[i].SentAt))
		}
	}

	w.o.Metrics.Polled(len(got))
	w.counts.received.Add(int64(len(got)))
	return out
}
