package compare

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tandem/services/domain/points"
)

// session is one run of both sides, from the first look to the last.
type session struct {
	id    string
	began time.Time
	cloud *cloud
	every time.Duration // between two polls of a shard
	log   *slog.Logger
	work  time.Duration // what a job takes

	tee   *tee
	live  *points.Live
	left  []*table // by team
	right []*table

	acting sync.Mutex // one act at a time; guards what the acts change
	ctx    context.Context
	queue  []*reading // the left's readers
	others []*reading
	sub    string // the newcomer's subscription

	reads  sync.Mutex
	stream []*reading // the right's readers, by team; changed by acts

	mu     sync.Mutex
	acts   []string
	jobs   *jobs
	counts counted
}

// counted is what SQS says of the points' queues.
type counted struct {
	at                time.Time
	waiting, inFlight int
}

func newSession(id string, c *cloud, every time.Duration, log *slog.Logger) (*session, error) {
	s := &session{
		id: id, began: time.Now(), cloud: c, every: every, log: log.With("session", id), work: 300 * time.Millisecond,
		tee: newTee(id),
	}
	live, err := points.NewLive(points.LiveOptions{Name: name, Client: c.kinesis, PollEvery: every, Log: s.log, Apply: s.tee.apply})
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}

	s.live = live
	for range teams() {
		s.left, s.right = append(s.left, newTable()), append(s.right, newTable())
	}
	return s, nil
}

// start starts both sides' readers and the tee. They run until end.
func (s *session) start(ctx context.Context) error {
	s.ctx = ctx
	s.stream = make([]*reading, len(teams()))
	for team := range newcomer {
		if err := s.joinLeft(team, QueuePoints, 0); err != nil {
			return err
		}
		s.right[team].begin(0)
		if err := s.joinRight(team); err != nil {
			return err
		}
	}

	s.others = append(s.others,
		begin(ctx, func(ctx context.Context) { logged(s.log, s.live.Run(ctx)) }),
		begin(ctx, func(ctx context.Context) { s.tee.run(ctx, s.cloud) }),
		begin(ctx, s.count))
	return nil
}

func (s *session) joinLeft(team int, queue string, after int) error {
	s.left[team].begin(after)
	r, err := fromQueue(s.ctx, s.cloud, s.id, queue, s.left[team], s.log)
	if err != nil {
		return err
	}
	s.queue = append(s.queue, r)
	return nil
}

func (s *session) joinRight(team int) error {
	r, err := fromStream(s.ctx, s.cloud, s.id, s.began, s.every, s.right[team], s.log)
	if err != nil {
		return err
	}

	s.reads.Lock()
	defer s.reads.Unlock()
	s.stream[team] = r
	return nil
}

// end returns when nothing of the session runs any more: the next one's messages
// would be deleted as foreign ones.
func (s *session) end() {
	s.acting.Lock()
	defer s.acting.Unlock()

	var wait sync.WaitGroup
	for _, all := range [][]*reading{s.queue, s.stream, s.others} {
		for _, r := range all {
			if r != nil {
				wait.Go(r.end)
			}
		}
	}
	wait.Wait()

	if s.sub != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 2*time.Second)
		defer cancel()
		if err := s.cloud.unsubscribe(ctx, s.sub); err != nil {
			s.log.Warn("the newcomer's subscription stays; the next session ends it", "err", err)
		}
	}
}

// count asks SQS once a second what is left in the queues.
func (s *session) count(ctx context.Context) {
	for ctx.Err() == nil {
		queues := []string{QueuePoints}
		if s.hasDone(ActSNS) {
			queues = teamQueues()
		}

		var now counted
		var err error
		for _, q := range queues {
			var waiting, inFlight int
			if waiting, inFlight, err = s.cloud.counts(ctx, q); err != nil {
				break // what is not known stays as old as it is
			}
			now.waiting, now.inFlight = now.waiting+waiting, now.inFlight+inFlight
		}
		if err == nil {
			now.at = time.Now()
			s.mu.Lock()
			s.counts = now
			s.mu.Unlock()
		}
		pause(ctx, time.Second)
	}
}
