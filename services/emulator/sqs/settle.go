package sqs

import (
	"context"

	"github.com/google/uuid"

	"tandem/services/emulator/wire"
)

type settleIn struct {
	QueueUrl          string //nolint:revive // the wire's name
	ID                string `json:"Id"` // in a batch
	ReceiptHandle     string
	VisibilityTimeout *int64
}

type settleBatchIn struct {
	QueueUrl string //nolint:revive // the wire's name
	Entries  []settleIn
}

type entryID struct {
	ID string `json:"Id"`
}

func (s *Service) deleteMessage(_ context.Context, in settleIn) (wire.Empty, error) {
	return wire.Empty{}, s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		id, err := q.deletable(in.ReceiptHandle)
		if err != nil {
			return err
		}
		return s.drop(q, id)
	})
}

// deletable gives the message that a receipt handle may delete. A standard
// queue takes any handle of it, a FIFO queue only that of the holder, whose
// time has not passed.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (q *queue) deletable(handle string) (id string, err error) {
	id, holder, err := q.handle(handle)
	if err != nil {
		return "", err
	}
	q.ripen(now())
	if m := q.byID[id]; m != nil && q.isFIFO() && !q.holds(m, holder) {
		return "", wire.Bad("InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", handle)
	}
	return id, nil
}

// drop deletes messages; those that are gone already are no error.
func (s *Service) drop(q *queue, ids ...string) error {
	var entries []entry
	var gone []*message
	for _, id := range ids {
		if m := q.byID[id]; m != nil {
			entries = append(entries, entry{Op: "delete", Queue: q.name, ID: id})
			gone = append(gone, m)
		}
	}
	if err := s.write(entries...); err != nil {
		return err
	}
	for _, m := range gone {
		if m.deleted {
			continue // twice in one batch
		}
		q.remove(m)
		if !q.isFIFO() && q.rng.Float64() < s.o.Duplicate && len(q.ghosts) < ghostsKept {
			q.ghosts = append(q.ghosts, m)
		}
	}
	return nil
}

func (s *Service) deleteBatch(_ context.Context, in settleBatchIn) (out batchOut[entryID], err error) {
	return s.settle(in, func(q *queue, entries []settleIn, out *batchOut[entryID]) error {
		var ids []string
		for _, e := range entries {
			id, err := q.deletable(e.ReceiptHandle)
			if err != nil {
				out.Failed = append(out.Failed, failedEntry(e.ID, err))
				continue
			}
			ids = append(ids, id)
			out.Successful = append(out.Successful, entryID{e.ID})
		}
		return s.drop(q, ids...)
	})
}

func (s *Service) changeVisibility(_ context.Context, in settleIn) (wire.Empty, error) {
	return wire.Empty{}, s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		return q.change(in)
	})
}

func (q *queue) change(in settleIn) error {
	if in.VisibilityTimeout == nil || *in.VisibilityTimeout < 0 || *in.VisibilityTimeout > maxVisibility {
		return wire.Bad("InvalidParameterValue", "VisibilityTimeout must be between 0 and 43200.")
	}
	id, holder, err := q.handle(in.ReceiptHandle)
	if err != nil {
		return err
	}
	at := now()
	q.ripen(at)
	m := q.byID[id]
	if m == nil {
		return wire.Bad("InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", in.ReceiptHandle)
	}
	if !q.holds(m, holder) {
		return &wire.Error{Status: 400, Code: "MessageNotInflight", Query: "AWS.SimpleQueueService.MessageNotInflight",
			Message: "The message referred to isn't in flight."}
	}
	q.setVisible(m, at+*in.VisibilityTimeout*1000, at)
	return nil
}

func (s *Service) changeBatch(_ context.Context, in settleBatchIn) (out batchOut[entryID], err error) {
	return s.settle(in, func(q *queue, entries []settleIn, out *batchOut[entryID]) error {
		for _, e := range entries {
			if err := q.change(e); err != nil {
				out.Failed = append(out.Failed, failedEntry(e.ID, err))
				continue
			}
			out.Successful = append(out.Successful, entryID{e.ID})
		}
		return nil
	})
}

func (s *Service) settle(in settleBatchIn, f func(*queue, []settleIn, *batchOut[entryID]) error) (out batchOut[entryID], err error) {
	ids := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.ID
	}
	if err := checkBatch(ids); err != nil {
		return out, err
	}
	out = batchOut[entryID]{Successful: []entryID{}, Failed: []batchError{}}
	err = s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		return f(q, in.Entries, &out)
	})
	return out, err
}

// moveTask is one redrive of a dead-letter queue. It is done at once.
type moveTask struct {
	TaskHandle                        string
	Status                            string
	SourceArn                         string
	DestinationArn                    string `json:",omitempty"`
	FailureReason                     string `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int64
	ApproximateNumberOfMessagesToMove int64
	StartedTimestamp                  int64
}

type moveIn struct{ SourceArn, DestinationArn string }

type moveOut struct{ TaskHandle string }

// startMove takes a dead-letter queue's visible messages to where each died, or
// to the destination that is named.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
func (s *Service) startMove(_ context.Context, in moveIn) (out moveOut, err error) {
	err = s.do(func() error {
		from, to := s.byARN(in.SourceArn), s.byARN(in.DestinationArn)
		switch {
		case from == nil:
			return noResource("SourceArn")
		case to == nil && in.DestinationArn != "":
			return noResource("DestinationArn")
		case !s.isDeadLetterQueue(from):
			return wire.Bad("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
		}
		task := moveTask{TaskHandle: uuid.NewString(), Status: "COMPLETED", SourceArn: in.SourceArn, DestinationArn: in.DestinationArn, StartedTimestamp: now()}
		if err := s.redriveAll(from, to, &task); err != nil {
			return err
		}
		s.moves = append(s.moves[max(0, len(s.moves)-9):], task)
		out.TaskHandle = task.TaskHandle
		return nil
	})
	return out, err
}

func (s *Service) redriveAll(from, to *queue, task *moveTask) error {
	from.ripen(now())
	for _, m := range from.inOrder() {
		if m.inFlight {
			continue
		}
		task.ApproximateNumberOfMessagesToMove++
		target := to
		if target == nil {
			target = s.byARN(m.Source)
		}
		if target == nil { // sent straight to the dead-letter queue
			task.Status, task.FailureReason = "FAILED", "CouldNotDetermineMessageSource"
			continue
		}
		if err := s.move(from, m, target, ""); err != nil {
			return err
		}
		task.ApproximateNumberOfMessagesMoved++
	}
	return nil
}

func (s *Service) isDeadLetterQueue(q *queue) bool {
	for _, other := range s.queues {
		if policy, _ := parseRedrive(other.attributes["RedrivePolicy"]); policy.Target == q.arn {
			return true
		}
	}
	return false
}

func noResource(parameter string) error {
	return &wire.Error{Status: 404, Code: "ResourceNotFoundException",
		Message: "The resource that you specified for the " + parameter + " parameter doesn't exist."}
}

func (s *Service) listMoves(_ context.Context, in moveIn) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	results := []moveTask{}
	for i := len(s.moves) - 1; i >= 0; i-- {
		if s.moves[i].SourceArn == in.SourceArn {
			results = append(results, s.moves[i])
		}
	}
	return map[string]any{"Results": results}, nil
}
