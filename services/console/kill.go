package console

import (
	"context"
	"maps"
	"os"
	"sync"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// killWorker ends, as kill -9 does, the worker that holds a message of the ride. Only
// the ride is named by who asks: which process that is the workers say themselves.
func (s *service) killWorker(ctx context.Context, ride string, by auth.Identity) (Holder, error) {
	if !s.cfg.KillWorkers {
		return Holder{}, problem.New(problem.Conflict, "The workers are no processes of this machine. This does it instead: %s", insteadOfKill(s.cfg.AWS.Endpoint))
	}

	messages, err := s.messagesOf(ctx, ride)
	if err != nil {
		return Holder{}, err
	}
	first := s.holder(ctx, messages)
	if first == nil || first.PID <= 1 {
		return Holder{}, problem.New(problem.Conflict, "No worker holds a message of this ride at the moment.")
	}

	// From here on the process is a handle and no number any more (on Linux), and the
	// worker is asked once more: so neither a process that got the pid of a worker that
	// has just ended is killed, nor a worker that has finished with the message.
	process, err := os.FindProcess(first.PID)
	if err != nil {
		return Holder{}, problem.Wrap(err, problem.Conflict, "The worker has just ended.")
	}
	defer func() { _ = process.Release() }()

	again := s.holder(ctx, messages)
	if again == nil || again.Worker != first.Worker || again.PID != first.PID || again.MessageID != first.MessageID {
		return Holder{}, problem.New(problem.Conflict, "The worker has just finished with the message.")
	}

	// The line is written before: it must be there also where this process is what dies.
	s.log.Warn("an operator kills a worker", "by", by.Subject, "worker", again.Worker, "pid", again.PID,
		"ride_id", ride, "message_id", again.MessageID, "receives", again.Receives, "others", again.Others)
	if err := process.Kill(); err != nil {
		return Holder{}, problem.Wrap(err, problem.Conflict, "The worker has just ended.")
	}
	s.kills.add(*again, time.Now())
	return *again, nil
}

// kills are the workers that were killed lately, by the message that each held: so
// whoever looks at the ride sees the death, and not only the page that asked for it.
// They are lost with this process, and then the next receive tells.
type kills struct {
	lock sync.Mutex
	all  map[string]kill
}

type kill struct {
	worker Holder
	at     time.Time
}

// keptKills is longer than a queue hides a message.
const keptKills = 10 * time.Minute

func (k *kills) add(worker Holder, now time.Time) {
	k.lock.Lock()
	defer k.lock.Unlock()

	if k.all == nil {
		k.all = map[string]kill{}
	}
	maps.DeleteFunc(k.all, func(_ string, old kill) bool { return now.Sub(old.at) > keptKills })
	k.all[worker.MessageID] = kill{worker, now}
}

// of returns the worker that was killed while it held one of the messages; nil: none was.
func (k *kills) of(messages []string) *Holder {
	k.lock.Lock()
	defer k.lock.Unlock()

	for _, m := range messages {
		if found, ok := k.all[m]; ok {
			return &found.worker
		}
	}
	return nil
}
