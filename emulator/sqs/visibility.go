package sqs

import (
	"context"

	"tandem/emulator/wire"
)

const maxVisibility = 12 * 60 * 60 // seconds

func (s *Service) changeVisibility(_ context.Context, in receiptIn) (wire.Empty, error) {
	return wire.Empty{}, s.withQueue(in.QueueURL, func(q *queue) error { return q.changeVisibility(in, now()) })
}

// changeVisibility counts the twelve hours from the receive that the handle is
// of. Nothing is journalled: a restart ends every visibility timeout.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func (q *queue) changeVisibility(in receiptIn, at int64) error {
	v := in.VisibilityTimeout
	if v == nil {
		return missing("VisibilityTimeout")
	}
	if *v < 0 || *v > maxVisibility {
		return invalidValue("VisibilityTimeout", *v, "Must be between 0 and %d.", maxVisibility)
	}

	r, err := q.readHandle(in.ReceiptHandle)
	if err != nil {
		return err
	}

	// Without this a handle whose time is over would still count.
	q.makeVisible(at)

	m := q.byID[r.message]
	switch {
	case m == nil:
		return invalidValue("ReceiptHandle", in.ReceiptHandle, "Message does not exist or is not available for visibility timeout change.")
	case !m.inFlight && q.latest(r, m):
		return refused("MessageNotInflight", "The message referred to isn't in flight.")
	case !m.inFlight || !q.latest(r, m):
		return invalidValue("ReceiptHandle", in.ReceiptHandle, "The receipt handle has expired.")
	case at+*v*1000 > m.receivedAt+maxVisibility*1000:
		return invalidValue("VisibilityTimeout", *v, "Total VisibilityTimeout for the message is beyond the limit [%d seconds]", maxVisibility)
	}

	q.setVisibleAt(m, at+*v*1000, at)
	return nil
}

func (s *Service) changeBatch(_ context.Context, in receiptBatchIn) (out batchOut[entryID], err error) {
	return s.eachEntry(in, func(q *queue, e receiptIn, at int64) error { return q.changeVisibility(e, at) },
		func(*queue) error { return nil })
}
