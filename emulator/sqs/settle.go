package sqs

import (
	"context"
	"slices"

	"tandem/emulator/wire"
)

type settleIn struct {
	QueueURL          string `json:"QueueUrl"`
	ID                string `json:"Id"` // in a batch
	ReceiptHandle     string
	VisibilityTimeout *int64
}

type settleBatchIn struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []settleIn
}

type entryID struct {
	ID string `json:"Id"`
}

func (s *Service) deleteMessage(_ context.Context, in settleIn) (wire.Empty, error) {
	return wire.Empty{}, s.on(in.QueueURL, func(q *queue) error {
		m, err := q.deletable(in.ReceiptHandle, now())
		if err != nil {
			return err
		}
		return s.drop(q, m)
	})
}

// deletable gives the message that a receipt handle may delete; nil: none, and
// that is no error. A standard queue takes the latest handle, in flight or not,
// and lets an older one succeed without effect; a FIFO queue takes only the
// holder's, whose time has not passed.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (q *queue) deletable(handle string, at int64) (*message, error) {
	r, err := q.handle(handle)
	if err != nil {
		return nil, err
	}
	q.makeVisible(at)
	m := q.byID[r.message]
	switch {
	case m == nil:
		return nil, nil
	case q.fifo && r.run == q.run && (!m.inFlight || !q.latest(r, m)):
		return nil, invalidValue("ReceiptHandle", handle, "The receipt handle has expired.")
	case !q.latest(r, m):
		return nil, nil
	}
	return m, nil
}

// drop deletes messages; nil and those that stand twice are left out.
func (s *Service) drop(q *queue, messages ...*message) error {
	e := entry{Op: opDelete, Queue: q.name}
	var gone []*message
	for _, m := range messages {
		if m != nil && !slices.Contains(gone, m) {
			gone, e.IDs = append(gone, m), append(e.IDs, m.ID)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := s.write(e); err != nil {
		return err
	}
	at := now()
	q.rates.now(at).Deleted += float64(len(gone))
	if s.o.Limits && q.inFlight >= s.o.MaxInFlight {
		q.signal() // there is room again
	}
	for _, m := range gone {
		q.remove(m, at)
		if !q.fifo && s.o.Duplicate > 0 && q.rng.Float64() < s.o.Duplicate && len(q.ghosts) < ghostsKept {
			q.ghosts = append(q.ghosts, m)
		}
	}
	return nil
}

func (s *Service) deleteBatch(_ context.Context, in settleBatchIn) (out batchOut[entryID], err error) {
	var gone []*message
	return s.settle(in, func(q *queue, e settleIn, at int64) error {
		m, err := q.deletable(e.ReceiptHandle, at)
		gone = append(gone, m)
		return err
	}, func(q *queue) error { return s.drop(q, gone...) })
}

func (s *Service) changeVisibility(_ context.Context, in settleIn) (wire.Empty, error) {
	return wire.Empty{}, s.on(in.QueueURL, func(q *queue) error { return q.changeVisibility(in, now()) })
}

// changeVisibility counts the twelve hours from the receive that the handle is
// of.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func (q *queue) changeVisibility(in settleIn, at int64) error {
	v := in.VisibilityTimeout
	if v == nil {
		return missing("VisibilityTimeout")
	}
	if *v < 0 || *v > maxVisibility {
		return invalidValue("VisibilityTimeout", *v, "Must be between 0 and %d.", maxVisibility)
	}
	r, err := q.handle(in.ReceiptHandle)
	if err != nil {
		return err
	}
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
	q.setVisible(m, at+*v*1000, at)
	return nil
}

func (s *Service) changeBatch(_ context.Context, in settleBatchIn) (out batchOut[entryID], err error) {
	return s.settle(in, func(q *queue, e settleIn, at int64) error { return q.changeVisibility(e, at) },
		func(*queue) error { return nil })
}

// settle runs one on each entry, and then last.
func (s *Service) settle(in settleBatchIn, one func(*queue, settleIn, int64) error, last func(*queue) error) (out batchOut[entryID], err error) {
	ids := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.ID
	}
	if err := checkBatch(ids); err != nil {
		return out, err
	}
	out = batchOut[entryID]{Successful: []entryID{}, Failed: []batchError{}}
	err = s.on(in.QueueURL, func(q *queue) error {
		at := now()
		for _, e := range in.Entries {
			if err := one(q, e, at); err != nil {
				out.Failed = append(out.Failed, failedEntry(e.ID, err))
				continue
			}
			out.Successful = append(out.Successful, entryID{e.ID})
		}
		return last(q)
	})
	return out, err
}
