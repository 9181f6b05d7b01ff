package sqs

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

const (
	moveRateMax = 500                   // messages a second
	moveChunk   = 100                   // messages at a time
	moveTick    = 20 * time.Millisecond // between two moves of a task with a rate
	movePause   = time.Millisecond      // instead, of a task without a rate: other calls have a turn
	tasksKept   = 10                    // of a queue
	tasksMax    = 100
)

// moveTask is one redrive of a dead-letter queue. It is journalled when it
// starts and when it ends, and goes on after a restart.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
type moveTask struct {
	taskOut
	Until uint64 // it moves messages up to this sequence number

	stop  chan struct{}
	began time.Time
	base  int64 // how many had been moved before began
}

func (t *moveTask) active() bool { return t.Status == "RUNNING" || t.Status == "CANCELLING" }

func (t *moveTask) entry() entry {
	// A copy, because the task goes on while it is written.
	now := *t
	return entry{Op: opTask, Task: &now}
}

type moveIn struct {
	SourceArn, DestinationArn    string
	MaxNumberOfMessagesPerSecond *int
	MaxResults                   *int
	TaskHandle                   string
}

type moveOut struct{ TaskHandle string }

func (s *Service) startMove(_ context.Context, in moveIn) (out moveOut, err error) {
	t := &moveTask{taskOut: taskOut{Handle: uuid.NewString(), Status: "RUNNING", SourceArn: in.SourceArn, DestinationArn: in.DestinationArn, Started: now()}}
	if r := in.MaxNumberOfMessagesPerSecond; r != nil {
		if t.Rate = *r; t.Rate < 1 || t.Rate > moveRateMax {
			return out, invalidValue("MaxNumberOfMessagesPerSecond", t.Rate, "Must be between 1 and %d.", moveRateMax)
		}
	}

	err = s.exclusively(func() error {
		from, to := s.byARN(in.SourceArn), s.byARN(in.DestinationArn)
		switch {
		case from == nil:
			return noResource("SourceArn")
		case to == nil && in.DestinationArn != "":
			return noResource("DestinationArn")
		case !s.isDeadLetterQueue(from):
			return invalid("Source queue must be configured as a Dead Letter Queue.")
		case to == from || to != nil && to.fifo != from.fifo:
			return invalidValue("DestinationArn", in.DestinationArn, "It must be another queue of the same type.")
		}

		active := 0
		for _, other := range s.tasks {
			if !other.active() {
				continue
			}
			active++
			if other.SourceArn == in.SourceArn {
				return invalid("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
			}
		}
		if active >= tasksMax {
			return invalid("%d tasks are running, which is the most.", active)
		}

		visible, _, _ := from.counts(now())
		// What comes later is not its own to move, or it might never end.
		t.ToMove, t.Until = int64(visible), s.seq.Load()
		if err := s.write(t.entry()); err != nil {
			return err
		}

		s.addTask(t)
		s.runTask(t)
		return nil
	})
	return moveOut{t.Handle}, err
}

func (s *Service) isDeadLetterQueue(q *queue) bool {
	for _, other := range s.queues {
		if other.set.redrive.Target == q.arn {
			return true
		}
	}
	return false
}

// addTask adds a task, or replaces it. It forgets a queue's oldest, and tasks of
// queues that no longer exist, so that the list stays short.
func (s *Service) addTask(t *moveTask) {
	t.stop = make(chan struct{})
	s.tasks = append(slices.DeleteFunc(s.tasks, func(other *moveTask) bool {
		return other.Handle == t.Handle || !other.active() && s.byARN(other.SourceArn) == nil
	}), t)

	ofQueue := func(other *moveTask) bool { return other.SourceArn == t.SourceArn }
	of := 0
	for _, other := range s.tasks {
		if ofQueue(other) {
			of++
		}
	}

	if of > tasksKept {
		oldest := slices.IndexFunc(s.tasks, ofQueue)
		s.tasks = slices.Delete(s.tasks, oldest, oldest+1)
	}
}

// countMoved counts a replayed move for its task. Source is empty where a message
// was redriven; of a dead letter it is not.
func (s *Service) countMoved(from string, m *message) {
	for _, t := range s.tasks {
		if t.Status == "RUNNING" && t.SourceArn == from && m.Source == "" {
			t.Moved++
		}
	}
}

// runTask moves messages in the background until the task or the service ends.
func (s *Service) runTask(t *moveTask) {
	if !t.active() {
		return
	}

	t.began, t.base = time.Now(), t.Moved
	tick := moveTick
	if t.Rate == 0 {
		tick = movePause
	}

	s.workers.Go(func() {
		for {
			// Some messages at a time: other calls wait for each turn.
			var over bool
			_ = s.exclusively(func() error { over = s.moveDue(t); return nil })
			if over {
				return
			}

			select {
			case <-s.closing:
				return
			case <-t.stop: // cancelled: the next turn ends it
			case <-time.After(tick):
			}
		}
	})
}

// moveDue moves as many messages as are due by the task's rate, and reports
// whether the task is over.
func (s *Service) moveDue(t *moveTask) (over bool) {
	// With a rate, one more than the time that has passed allows: the first at once.
	n := int64(moveChunk)
	if t.Rate > 0 {
		n = 1 + int64(time.Since(t.began).Seconds()*float64(t.Rate)) - (t.Moved - t.base)
	}

	status, reason := "", ""
	if t.Status == "CANCELLING" {
		status = "CANCELLED"
	} else if n > 0 {
		status, reason = s.moveUpTo(t, int(n))
	}
	if status == "" {
		return false
	}

	t.Status, t.FailureReason = status, reason
	// Not given up: at worst the task goes on after a restart and finds nothing to move.
	if err := s.write(t.entry()); err != nil {
		s.o.Log.Error("the end of a move task was not journalled", "err", err)
	}
	return true
}

// moveUpTo moves up to n messages. It returns the task's last status and the
// reason where it ends, or "".
func (s *Service) moveUpTo(t *moveTask, n int) (status, reason string) {
	from, to := s.byARN(t.SourceArn), s.byARN(t.DestinationArn)
	if from == nil || to == nil && t.DestinationArn != "" {
		return "FAILED", queryPrefix + "NonExistentQueue"
	}

	at := now()
	from.makeVisible(at)

	var transfers []transfer
	for n = min(n, moveChunk); len(transfers) < n && status == ""; {
		chosen := from.choose(n-len(transfers), at, 0)
		if len(chosen) == 0 || chosen[0].Seq > t.Until {
			status = "COMPLETED"
			break
		}

		for _, m := range chosen {
			// What came later is not the task's, to move or to fail on.
			if m.Seq > t.Until {
				break
			}
			target := to
			if target == nil {
				target = s.byARN(m.Source)
			}
			// A message that was sent straight to the dead-letter queue has no source.
			if target == nil {
				status, reason = "FAILED", "CouldNotDetermineMessageSource"
				break
			}

			// Its timeout is over at once: should the move fail, it is visible again.
			from.putInFlight(m, at)
			transfers = append(transfers, transfer{from, m, target, s.redriven(m, at)})
		}
	}

	if err := s.move(transfers...); err != nil {
		s.o.Log.Error("a move task failed", "err", err)
		return "FAILED", "InternalError"
	}

	t.Moved += int64(len(transfers))
	return status, reason
}
