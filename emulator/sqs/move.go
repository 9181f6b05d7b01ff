package sqs

import "github.com/google/uuid"

// transfer is one message's way from a queue to another.
type transfer struct {
	from *queue
	m    *message
	to   *queue
	next *message // what it becomes there
}

// deadLetter returns the message that m becomes in a dead-letter queue. A
// standard queue keeps the first enqueue time; a FIFO queue starts it again and
// takes the message's id for its deduplication id.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (s *Service) deadLetter(from *queue, m *message, to *queue, at int64) *message {
	next := &message{ID: m.ID, Body: m.Body, Attributes: m.Attributes, Group: m.Group, Dedup: m.Dedup, Trace: m.Trace,
		Sent: m.Sent, Arrived: at, Seq: s.seq.Add(1), Source: from.arn, Received: m.Received + m.receives}
	if to.fifo {
		next.Sent, next.Dedup = at, m.ID
	}
	return next
}

// redriven returns the message that a dead letter becomes when it goes back: a
// new message with a new id and time.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (s *Service) redriven(m *message, at int64) *message {
	return &message{ID: uuid.NewString(), Body: m.Body, Attributes: m.Attributes, Group: m.Group, Dedup: m.Dedup, Trace: m.Trace,
		Sent: at, Arrived: at, Seq: s.seq.Add(1)}
}

// move moves messages to other queues. Both halves of a move are one entry of
// the journal, so that a crash leaves the message here or there, never in both
// or in none. It runs exclusively: two queues change.
func (s *Service) move(transfers ...transfer) error {
	entries := make([]entry, len(transfers))
	for i, t := range transfers {
		entries[i] = entry{Op: opMove, Queue: t.from.name, To: t.to.name, ID: t.m.ID, Message: t.next}
	}

	if err := s.write(entries...); err != nil {
		return err
	}

	at := now()
	for _, t := range transfers {
		t.from.remove(t.m, at)
		t.to.add(t.next, at)
	}
	return nil
}
