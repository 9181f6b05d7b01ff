package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// SetupError is the error for a queue that does not exist.
type SetupError struct {
	Queue string
	err   error // what SQS said
}

func (e *SetupError) Error() string { return e.Advice() }

func (e *SetupError) Unwrap() error { return e.err }

// Advice is one sentence that anybody may read.
func (e *SetupError) Advice() string {
	return fmt.Sprintf("queue %s does not exist: deploy it; messages wait in the outbox until then", e.Queue)
}

// errFind is wrapped by every error of looking up a queue except a *SetupError.
var errFind = errors.New("find the queue")

// url returns the queue's URL and asks SQS for it the first time.
func (r *Relay) url(ctx context.Context, queue string) (string, error) {
	r.mu.Lock()
	url, ok := r.urls[queue]
	r.mu.Unlock()
	if ok {
		return url, nil
	}

	out, err := r.o.Client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	var missing *types.QueueDoesNotExist
	switch {
	case errors.As(err, &missing):
		return "", &SetupError{queue, err}
	case err != nil:
		return "", fmt.Errorf("%w: %w", errFind, err)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	r.urls[queue] = aws.ToString(out.QueueUrl)
	return r.urls[queue], nil
}

// setQueueErr keeps for Ready why a queue cannot be sent to; nil: it can. Each
// change is logged once.
func (r *Relay) setQueueErr(queue string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if err == nil {
		if r.queueErr[queue] != nil {
			r.o.Log.Info("messages can be sent again", "queue", queue)
		}
		delete(r.queueErr, queue)
		delete(r.backoffs, queue)
		return
	}

	if r.queueErr[queue] == nil {
		r.o.Log.Error("messages cannot be sent; they wait in the outbox", "queue", queue, "err", err)
	}
	r.queueErr[queue] = err

	// The pause is the queue's, not each row's: when the queue answers again, all
	// rows that waited are sent soon, however often each of them was tried.
	b := r.backoffs[queue]
	b.pause = min(max(2*b.pause, firstRetry), lastBackoff)
	b.until = time.Now().Add(b.pause)
	r.backoffs[queue] = b

	// A recreated queue may have another URL.
	delete(r.urls, queue)
}

// backoff is for how long a queue whose call failed is not tried.
type backoff struct {
	pause time.Duration
	until time.Time
}

// lastBackoff is the longest pause. So soon a queue that answers again is noticed.
const lastBackoff = 4 * time.Second

// backingOff reports whether the queue must not be tried yet.
func (r *Relay) backingOff(queue string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.backoffs[queue].until)
}

// checkQueues looks up those of Options.Queues whose URL is not known.
func (r *Relay) checkQueues(ctx context.Context) {
	for _, queue := range r.o.Queues {
		r.mu.Lock()
		before := r.queueErr[queue]
		r.mu.Unlock()

		within, cancel := context.WithTimeout(ctx, r.o.SendWithin)
		_, err := r.url(within, queue)
		cancel()
		if ctx.Err() != nil {
			return
		}

		// To find the queue ends the trouble of not finding it. Any other trouble
		// came from a send, such as access denied, and only a send can end it.
		if before == nil || notFound(before) {
			r.setQueueErr(queue, err)
		}
	}
}

// notFound reports whether err says that a queue could not be found.
func notFound(err error) bool {
	var missing *SetupError
	return errors.As(err, &missing) || errors.Is(err, errFind)
}
