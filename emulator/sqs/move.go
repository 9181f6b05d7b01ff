package sqs

import "github.com/google/uuid"

// step is one message's way from a queue to another.
type step struct {
	from *queue
	m    *message
	to   *queue
	next *message // what it becomes there
}

// died is the message in a dead-letter queue. A standard queue keeps the first
// enqueue time, a FIFO queue starts it anew and has the message's id for its
// deduplication id.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (s *Service) died(from *queue, m *message, to *queue, at int64) *message {
	next := &message{ID: m.ID, Body: m.Body, Attributes: m.Attributes, Group: m.Group, Dedup: m.Dedup, Trace: m.Trace,
		Sent: m.Sent, Arrived: at, Seq: s.seq.Add(1), Source: from.arn, Received: m.Received + m.receives}
	if to.fifo {
		next.Sent, next.Dedup = at, m.ID
	}
	return next
}

// revived is a dead letter redriven: a new message with a new id and time.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (s *Service) revived(m *message, at int64) *message {
	return &message{ID: uuid.NewString(), Body: m.Body, Attributes: m.Attributes, Group: m.Group, Dedup: m.Dedup, Trace: m.Trace,
		Sent: at, Arrived: at, Seq: s.seq.Add(1)}
}

// move takes messages to other queues: one frame each, so that a crash leaves
// them here or there. It runs alone.
func (s *Service) move(steps ...step) error {
	entries := make([]entry, len(steps))
	for i, st := range steps {
		entries[i] = entry{Op: opMove, Queue: st.from.name, To: st.to.name, ID: st.m.ID, Message: st.next}
	}
	if err := s.write(entries...); err != nil {
		return err
	}
	at := now()
	for _, st := range steps {
		st.from.remove(st.m, at)
		st.to.add(st.next, at)
	}
	return nil
}
