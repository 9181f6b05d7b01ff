package sqs

import (
	"context"
	"fmt"

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
		id, _, err := q.handle(in.ReceiptHandle)
		if err != nil {
			return err
		}
		return s.drop(q, id)
	})
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
			id, _, err := q.handle(e.ReceiptHandle)
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
	id, receive, err := q.handle(in.ReceiptHandle)
	if err != nil {
		return err
	}
	at := now()
	q.ripen(at)
	m := q.byID[id]
	if m == nil {
		return wire.Bad("InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", in.ReceiptHandle)
	}
	if !m.inFlight || m.receives != receive {
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
	ApproximateNumberOfMessagesMoved  int64
	ApproximateNumberOfMessagesToMove int64
	StartedTimestamp                  int64
}

type moveIn struct{ SourceArn, DestinationArn string }

type moveOut struct{ TaskHandle string }

func (s *Service) startMove(_ context.Context, in moveIn) (out moveOut, err error) {
	err = s.do(func() error {
		from := s.byARN(in.SourceArn)
		if from == nil {
			return &wire.Error{Status: 404, Code: "ResourceNotFoundException", Query: "ResourceNotFoundException", Message: "The resource that you specified for the SourceArn parameter doesn't exist."}
		}
		task := moveTask{TaskHandle: uuid.NewString(), Status: "COMPLETED", SourceArn: in.SourceArn, DestinationArn: in.DestinationArn, StartedTimestamp: now()}
		from.ripen(now())
		for _, m := range from.byID {
			if m.inFlight {
				continue
			}
			to := s.byARN(m.Source)
			if in.DestinationArn != "" {
				to = s.byARN(in.DestinationArn)
			}
			if to == nil {
				if in.DestinationArn != "" {
					return &wire.Error{Status: 404, Code: "ResourceNotFoundException", Query: "ResourceNotFoundException", Message: "The resource that you specified for the DestinationArn parameter doesn't exist."}
				}
				task.Status = "FAILED" // a message sent straight to the queue: its destination must be named
				continue
			}
			task.ApproximateNumberOfMessagesToMove++
			if err := s.move(from, m, to, ""); err != nil {
				return fmt.Errorf("move: %w", err)
			}
			task.ApproximateNumberOfMessagesMoved++
		}
		s.moves = append(s.moves[max(0, len(s.moves)-9):], task)
		out.TaskHandle = task.TaskHandle
		return nil
	})
	return out, err
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
