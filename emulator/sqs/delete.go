package sqs

import (
	"context"
	"slices"

	"tandem/emulator/wire"
)

// receiptIn is the input of what uses a receipt handle.
type receiptIn struct {
	QueueURL          string `json:"QueueUrl"`
	ID                string `json:"Id"` // in a batch
	ReceiptHandle     string
	VisibilityTimeout *int64
}

type receiptBatchIn struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []receiptIn
}

type entryID struct {
	ID string `json:"Id"`
}

func (s *Service) deleteMessage(_ context.Context, in receiptIn) (wire.Empty, error) {
	return wire.Empty{}, s.withQueue(in.QueueURL, func(q *queue) error {
		m, err := q.deletable(in.ReceiptHandle, now())
		if err != nil {
			return err
		}
		return s.deleteAll(q, m)
	})
}

// deletable returns the message that a receipt handle may delete; nil: none, and
// that is no error. A standard queue takes the latest handle, in flight or not,
// and lets an older one succeed without effect; a FIFO queue takes only the
// handle of the receive that the message is in flight from.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (q *queue) deletable(handle string, at int64) (*message, error) {
	r, err := q.readHandle(handle)
	if err != nil {
		return nil, err
	}

	// Without this a handle whose time is over would still count.
	q.makeVisible(at)

	m := q.byID[r.message]
	switch {
	case m == nil:
		// It was deleted already: a repeated delete succeeds.
		return nil, nil
	case q.fifo && r.run == q.run && (!m.inFlight || !q.latest(r, m)):
		return nil, invalidValue("ReceiptHandle", handle, "The receipt handle has expired.")
	case !q.latest(r, m):
		// Somebody else received it since, and may be at work on it.
		return nil, nil
	}
	return m, nil
}

// deleteAll deletes messages, with one entry of the journal. Nil is left out, and
// so is what is named twice.
func (s *Service) deleteAll(q *queue, messages ...*message) error {
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

	// Before anything is removed: what was answered as deleted must not come back.
	if err := s.write(e); err != nil {
		return err
	}

	at := now()
	q.rates.now(at).Deleted += float64(len(gone))
	if s.o.Limits && q.inFlight >= s.o.MaxInFlight {
		// A receive may wait because too much was in flight: there is room again.
		q.signal()
	}

	for _, m := range gone {
		q.remove(m, at)
		if !q.fifo && s.o.Duplicate > 0 && q.rng.Float64() < s.o.Duplicate && len(q.duplicates) < duplicatesKept {
			q.duplicates = append(q.duplicates, m)
		}
	}
	return nil
}

func (s *Service) deleteBatch(_ context.Context, in receiptBatchIn) (out batchOut[entryID], err error) {
	var gone []*message
	return s.eachEntry(in, func(q *queue, e receiptIn, at int64) error {
		m, err := q.deletable(e.ReceiptHandle, at)
		gone = append(gone, m)
		return err
	}, func(q *queue) error { return s.deleteAll(q, gone...) })
}

// eachEntry runs one on each entry of a batch, and then last.
func (s *Service) eachEntry(in receiptBatchIn, one func(*queue, receiptIn, int64) error, last func(*queue) error) (out batchOut[entryID], err error) {
	ids := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.ID
	}
	if err := checkBatch(ids); err != nil {
		return out, err
	}

	out = batchOut[entryID]{Successful: []entryID{}, Failed: []batchError{}}
	err = s.withQueue(in.QueueURL, func(q *queue) error {
		at := now()
		for _, e := range in.Entries {
			// One entry that fails does not fail the others.
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
