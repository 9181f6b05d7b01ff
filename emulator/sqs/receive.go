package sqs

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	maxReceive     = 10
	maxWait        = 20      // seconds
	maxInFlight    = 120_000 // messages of a queue
	duplicatesKept = 100     // messages of a queue
	// duplicateShare is how often a receive with room returns a duplicate.
	duplicateShare = 0.2
)

type receiveIn struct {
	QueueURL                    string `json:"QueueUrl"`
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int64
	WaitTimeSeconds             *int64
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
}

type receiveOut struct {
	Messages []messageOut `json:",omitempty"`
}

func (in receiveIn) count() int {
	if in.MaxNumberOfMessages == nil {
		return 1
	}
	return *in.MaxNumberOfMessages
}

// check refuses what the API reference does.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
func (in receiveIn) check() error {
	if n := in.count(); n < 1 || n > maxReceive {
		return invalidValue("MaxNumberOfMessages", n, "Must be between 1 and 10, if provided.")
	}
	if w := in.WaitTimeSeconds; w != nil && (*w < 0 || *w > maxWait) {
		return invalidValue("WaitTimeSeconds", *w, "Must be >= 0 and <= 20, if provided.")
	}
	if v := in.VisibilityTimeout; v != nil && (*v < 0 || *v > maxVisibility) {
		return invalidValue("VisibilityTimeout", *v, "Total VisibilityTimeout for the message is beyond the limit [%d seconds]", maxVisibility)
	}

	for _, name := range slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames) {
		if name != "All" && name != "SqsManagedSseEnabled" && !slices.Contains(systemAttributes(), name) {
			return badName(name)
		}
	}
	return nil
}

// receive waits as long as the call or the queue says, and answers as soon as a
// message is visible.
func (s *Service) receive(ctx context.Context, in receiveIn) (receiveOut, error) {
	if err := in.check(); err != nil {
		return receiveOut{}, err
	}

	began := time.Now()
	// A client that left gets nothing: its messages would be hidden from the others.
	for ctx.Err() == nil {
		got, pause, err := s.tryReceive(in, began)
		if err != nil || len(got) > 0 || pause.left <= 0 {
			return receiveOut{got}, err
		}

		t := time.NewTimer(pause.left)
		select {
		case <-ctx.Done():
		case <-pause.changed:
		case <-t.C:
		}
		t.Stop()
	}
	return receiveOut{}, nil
}

// pause is what a receive that got nothing waits for.
type pause struct {
	changed <-chan struct{}
	left    time.Duration // 0: it does not wait any longer
}

// errExclusive is returned where a message must first go to another queue, for
// which the lock that others share is not enough.
var errExclusive = errors.New("sqs: a dead letter must move first")

// tryReceive hands out what is visible; with nothing, it returns what to wait
// for. It takes the lock that stops every other call only when a message must
// move to the dead-letter queue.
func (s *Service) tryReceive(in receiveIn, began time.Time) (got []messageOut, p pause, err error) {
	err = s.withQueue(in.QueueURL, func(q *queue) error {
		got, p, err = s.receiveFrom(q, in, began, false)
		return err
	})
	if !errors.Is(err, errExclusive) {
		return got, p, err
	}

	err = s.exclusively(func() error {
		// The queue may have been deleted between the two locks.
		q, err := s.find(in.QueueURL)
		if err == nil {
			got, p, err = s.receiveFrom(q, in, began, true)
		}
		return err
	})
	return got, p, err
}

func (s *Service) receiveFrom(q *queue, in receiveIn, began time.Time, exclusive bool) (out []messageOut, p pause, err error) {
	at := now()
	wait := q.set.wait
	if in.WaitTimeSeconds != nil {
		wait = *in.WaitTimeSeconds
	}

	// Once only: with a visibility timeout of 0 a message is not twice in one answer.
	q.makeVisible(at)

	n := in.count()
	if s.o.Limits {
		n = min(n, s.o.MaxInFlight-q.inFlight)
	}

	switch {
	case n > 0:
		out, err = s.handOut(q, in, n, at, exclusive)
	// AWS returns this error to a short poll of a standard queue, and else no messages.
	case wait == 0 && !q.fifo:
		err = fail(403, "OverLimit", "OverLimit", "Too many messages in flight: the most is %d.", s.o.MaxInFlight)
	}
	if err != nil || len(out) > 0 {
		return out, p, err
	}

	p.left = time.Duration(wait)*time.Second - time.Since(began)
	if p.left <= 0 {
		q.rates.empty++
		q.rates.now(at).EmptyReceives++
		return nil, p, nil
	}

	p.changed = q.wait()
	// Nobody signals the end of a delay or of a visibility timeout.
	if next := q.hidden.first(); next != nil {
		p.left = min(p.left, max(time.Until(time.UnixMilli(next.visibleAt)), time.Millisecond))
	}
	return nil, p, nil
}

// handOut returns up to n messages and puts them in flight. Those that were
// received too often move to the dead-letter queue instead.
func (s *Service) handOut(q *queue, in receiveIn, n int, at int64, exclusive bool) ([]messageOut, error) {
	until := at + q.set.visibility*1000
	if in.VisibilityTimeout != nil {
		until = at + *in.VisibilityTimeout*1000
	}

	out, dead, err := s.pick(q, n, at, until, exclusive)
	if len(dead) > 0 {
		err = s.move(dead...)
	}
	if len(out) == 0 && err != nil {
		// Where some messages were chosen they are returned, and the next receive meets the
		// error.
		return nil, err
	}

	if len(q.duplicates) > 0 && len(out) < n && q.rng.Float64() < duplicateShare {
		duplicate := q.duplicates[0]
		q.duplicates = q.duplicates[1:]
		duplicate.receives++
		q.rates.again++
		out = append(out, duplicate)
	}
	q.rates.now(at).Received += float64(len(out))
	return q.showAll(out, in), nil
}

// pick chooses up to n messages, puts them in flight, and removes those that are
// too old. Dead letters are left to move by the caller; where that is not
// allowed (exclusive is false), pick ends before the first with errExclusive.
func (s *Service) pick(q *queue, n int, at, until int64, exclusive bool) (out []*message, dead []transfer, err error) {
	target := s.byARN(q.set.redrive.Target)

	for len(out) < n {
		chosen := q.choose(n-len(out), at, s.o.Reorder)
		if len(chosen) == 0 {
			return out, dead, nil
		}

		for _, m := range chosen {
			switch {
			case q.expired(m.Sent, at):
				q.remove(m, at)
			case target == nil || m.receives < q.set.redrive.MaxReceiveCount:
				q.received(m, at, until)
				out = append(out, m)
			case exclusive:
				// Its timeout is over at once: should the move fail, it is visible again.
				q.putInFlight(m, at)
				dead = append(dead, transfer{q, m, target, s.deadLetter(q, m, target, at)})
			default:
				return out, dead, errExclusive
			}
		}
	}
	return out, dead, nil
}

// received counts one receive of a message and puts it in flight.
func (q *queue) received(m *message, at, until int64) {
	m.receives++
	m.receivedAt = at
	if m.firstReceived == 0 {
		m.firstReceived = at
	}
	q.putInFlight(m, until)
}
