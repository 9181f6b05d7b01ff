package outbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// SetupError is the error for a queue that does not exist.
type SetupError struct {
	Queue string
	err   error
}

func (m *SetupError) Error() string { return m.Advice() }

func (m *SetupError) Unwrap() error { return m.err }

// Advice is one sentence that anybody may read.
func (m *SetupError) Advice() string {
	return fmt.Sprintf("queue %s does not exist: deploy it; messages wait in the outbox until then", m.Queue)
}

// errFind is in every error of a look for a queue, but for a *SetupError.
var errFind = errors.New("find the queue")

func missing(queue string, err error) error {
	var none *types.QueueDoesNotExist
	if errors.As(err, &none) {
		return &SetupError{queue, err}
	}
	return fmt.Errorf("%w: %w", errFind, err)
}

// unfound is whether err says that a queue could not be found.
func unfound(err error) bool {
	var gone *SetupError
	return errors.As(err, &gone) || errors.Is(err, errFind)
}

// lookup finds those of Queues whose URL is not known. That a queue is found
// ends the trouble of finding it, and says nothing of another: only a send ends
// that.
func (r *Relay) lookup(ctx context.Context) {
	for _, queue := range r.o.Queues {
		r.mu.Lock()
		had := r.bad[queue]
		r.mu.Unlock()
		within, cancel := context.WithTimeout(ctx, r.o.SendWithin)
		_, err := r.url(within, queue)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if had == nil || unfound(had) {
			r.queueState(queue, err)
		}
	}
}
