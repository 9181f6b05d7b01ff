package sqs

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	maxReceive    = 10
	maxWait       = 20           // seconds
	maxVisibility = 12 * 60 * 60 // seconds
	maxInFlight   = 120_000      // messages of a queue
	ghostsKept    = 100          // messages
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

// check checks as the API reference says.
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

// receive waits as long as the call or the queue says, and answers as soon as
// there is a message.
func (s *Service) receive(ctx context.Context, in receiveIn) (receiveOut, error) {
	if err := in.check(); err != nil {
		return receiveOut{}, err
	}
	began := time.Now()
	for ctx.Err() == nil { // nothing is handed out to a client that left
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
	left    time.Duration // 0: no longer
}

// errAlone: a message must go to another queue first, with no lock shared.
var errAlone = errors.New("sqs: a dead letter must move first")

// tryReceive hands out what is visible; with nothing, it says what to wait for.
func (s *Service) tryReceive(in receiveIn, began time.Time) (got []messageOut, p pause, err error) {
	err = s.on(in.QueueURL, func(q *queue) error {
		got, p, err = s.receiveFrom(q, in, began, false)
		return err
	})
	if !errors.Is(err, errAlone) {
		return got, p, err
	}
	err = s.alone(func() error {
		q, err := s.find(in.QueueURL)
		if err == nil {
			got, p, err = s.receiveFrom(q, in, began, true)
		}
		return err
	})
	return got, p, err
}

func (s *Service) receiveFrom(q *queue, in receiveIn, began time.Time, alone bool) (out []messageOut, p pause, err error) {
	at := now()
	wait := q.set.wait
	if in.WaitTimeSeconds != nil {
		wait = *in.WaitTimeSeconds
	}
	q.makeVisible(at) // once: with a visibility of 0 nothing is in one answer twice
	n := in.count()
	if s.o.Limits {
		n = min(n, s.o.MaxInFlight-q.inFlight)
	}
	switch {
	case n > 0:
		out, err = s.handOut(q, in, n, at, alone)
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
	if next := q.timed.first(); next != nil {
		p.left = min(p.left, max(time.Until(time.UnixMilli(next.visibleAt)), time.Millisecond))
	}
	return nil, p, nil
}

func (s *Service) handOut(q *queue, in receiveIn, n int, at int64, alone bool) (out []messageOut, err error) {
	until := at + q.set.visibility*1000
	if in.VisibilityTimeout != nil {
		until = at + *in.VisibilityTimeout*1000
	}
	dead := s.byARN(q.set.redrive.Target)
	var given []*message
	var buried []step
	for len(given) < n && err == nil {
		run := q.take(n-len(given), at, s.o.Reorder)
		if len(run) == 0 {
			break
		}
		for _, m := range run {
			switch {
			case q.old(m.Sent, at):
				q.remove(m, at)
			case dead == nil || m.receives < q.set.redrive.Max:
				q.receive(m, at, until)
				given = append(given, m)
			case alone:
				q.fly(m, at) // should the move fail, it is visible again
				buried = append(buried, step{q, m, dead, s.died(q, m, dead, at)})
			default:
				err = errAlone
			}
			if err != nil {
				break
			}
		}
	}
	if len(buried) > 0 {
		err = s.move(buried...)
	}
	if len(given) == 0 && err != nil {
		return nil, err // else the next receive meets it again
	}
	if len(q.ghosts) > 0 && len(given) < n && q.rng.Float64() < 0.2 {
		ghost := q.ghosts[0]
		q.ghosts = q.ghosts[1:]
		ghost.receives++
		given = append(given, ghost)
	}
	q.rates.now(at).Received += float64(len(given))
	return q.showAll(given, in), nil
}

// receive counts one receive of a message.
func (q *queue) receive(m *message, at, until int64) {
	m.receives++
	m.receivedAt = at
	if m.firstReceived == 0 {
		m.firstReceived = at
	}
	q.fly(m, until)
}
