package compare

import (
	"context"

	"tandem/services/internal/problem"
)

// The acts.
const (
	ActLate    = "late"     // a newcomer joins both sides
	ActLose    = "lose"     // the heatmap's table is emptied, on both sides
	ActJobs    = "jobs"     // 40 jobs, one of them poison, go to both sides
	ActSkip    = "skip"     // the stream's worker may pass the poison
	ActSNS     = "sns"      // points go to a topic, and each team has a queue of its own
	ActSNSLate = "sns_late" // the newcomer subscribes its queue
	ActRestart = "restart"  // a new session
)

const heatmap = 2 // the team that loses its table

func (s *session) hasDone(act string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.acts {
		if a == act {
			return true
		}
	}
	return false
}

// act does one of the steps, each of them once.
func (s *session) act(ctx context.Context, act string) error {
	s.acting.Lock()
	defer s.acting.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return problem.New(problem.Gone, "The session has ended. Look again, and a new one begins.")
	case s.hasDone(act):
		return problem.New(problem.Conflict, "This step has been done. Start over to do it again.")
	case act == ActSkip && !s.hasDone(ActJobs), act == ActSNSLate && !s.hasDone(ActSNS), act == ActLate && s.hasDone(ActSNS):
		return problem.New(problem.Conflict, "This step does not come now.")
	}

	do := map[string]func(context.Context) error{
		ActLate: s.late, ActLose: s.lose, ActJobs: s.sendJobs, ActSkip: s.skip, ActSNS: s.fanOut, ActSNSLate: s.lateToTopic,
	}[act]
	if err := do(ctx); err != nil {
		s.log.Warn("a step failed", "act", act, "err", err)
		return problem.Wrap(err, problem.Unavailable, "SQS, SNS or Kinesis does not answer. Try again in a second.")
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.acts = append(s.acts, act)
	return nil
}

func (s *session) late(ctx context.Context) error {
	return s.tee.between(ctx, func(n int) error {
		s.right[newcomer].begin(n)
		if err := s.joinRight(newcomer); err != nil {
			return err
		}
		return s.joinLeft(newcomer, QueuePoints, n)
	})
}

func (s *session) lose(context.Context) error {
	s.left[heatmap].lose()

	// The reader must have ended before its table is emptied, or it would fill it with
	// what it has in its hands.
	s.stream[heatmap].end()
	s.right[heatmap].lose()
	return s.joinRight(heatmap)
}

func (s *session) sendJobs(context.Context) error {
	j := newJobs(s.id, s.work)
	running, err := j.start(s.ctx, s.cloud, s.every, s.log)
	if err != nil {
		return err
	}

	s.others = append(s.others, running...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = j
	return nil
}

func (s *session) skip(context.Context) error {
	close(s.jobs.skip)
	return nil
}

// fanOut gives each team a queue of its own. What they had is no part of it: the
// topic brings what is published from now on.
func (s *session) fanOut(ctx context.Context) error {
	// A process that was killed may have left the newcomer's subscription: end it, or
	// the newcomer would see what was before it.
	sub, err := s.cloud.subscribe(ctx, queueOf(teams()[newcomer]))
	if err != nil {
		return err
	}
	if err := s.cloud.unsubscribe(ctx, sub); err != nil {
		return err
	}

	return s.tee.between(ctx, func(n int) error {
		for _, r := range s.queue {
			r.end()
		}
		s.queue = nil

		s.tee.toTopic(n)
		s.left[newcomer].begin(-1)
		for team := range newcomer {
			if err := s.joinLeft(team, queueOf(teams()[team]), n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) lateToTopic(ctx context.Context) error {
	queue := queueOf(teams()[newcomer])
	return s.tee.between(ctx, func(n int) error {
		sub, err := s.cloud.subscribe(ctx, queue)
		if err != nil {
			return err
		}
		s.sub = sub
		return s.joinLeft(newcomer, queue, n)
	})
}
