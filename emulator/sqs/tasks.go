package sqs

import "context"

// taskOut is a task as it is listed.
type taskOut struct {
	Handle         string `json:"TaskHandle,omitempty"` // listed while it runs
	Status         string
	SourceArn      string
	DestinationArn string `json:",omitempty"`
	FailureReason  string `json:",omitempty"`
	Rate           int    `json:"MaxNumberOfMessagesPerSecond,omitempty"` // 0: as fast as it goes
	Moved          int64  `json:"ApproximateNumberOfMessagesMoved"`
	ToMove         int64  `json:"ApproximateNumberOfMessagesToMove"`
	Started        int64  `json:"StartedTimestamp"` // ms
}

type tasksOut struct{ Results []taskOut }

// listMoves returns a queue's tasks, the latest first.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
func (s *Service) listMoves(_ context.Context, in moveIn) (tasksOut, error) {
	limit := 1
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	if limit < 1 || limit > tasksKept {
		return tasksOut{}, invalidValue("MaxResults", limit, "Must be between 1 and %d.", tasksKept)
	}

	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.byARN(in.SourceArn) == nil {
		return tasksOut{}, noResource("SourceArn")
	}

	out := tasksOut{Results: []taskOut{}}
	for i := len(s.tasks) - 1; i >= 0 && len(out.Results) < limit; i-- {
		t := s.tasks[i]
		if t.SourceArn != in.SourceArn {
			continue
		}

		o := t.taskOut
		if t.Status != "RUNNING" {
			// AWS shows the handle only while there is something to cancel.
			o.Handle = ""
		}
		out.Results = append(out.Results, o)
	}
	return out, nil
}

type cancelOut struct{ ApproximateNumberOfMessagesMoved int64 }

// cancelMove stops a task. What it has moved stays moved.
func (s *Service) cancelMove(_ context.Context, in moveIn) (out cancelOut, err error) {
	err = s.exclusively(func() error {
		for _, t := range s.tasks {
			if t.Handle != in.TaskHandle {
				continue
			}
			if t.Status != "RUNNING" {
				return invalid("Only active tasks can be cancelled.")
			}

			t.Status = "CANCELLING"
			if err := s.write(t.entry()); err != nil {
				t.Status = "RUNNING"
				return err
			}

			close(t.stop)
			out.ApproximateNumberOfMessagesMoved = t.Moved
			return nil
		}
		return fail(404, "ResourceNotFoundException", "ResourceNotFoundException", "Task does not exist.")
	})
	return out, err
}
