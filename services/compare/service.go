package compare

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/internal/problem"
)

const (
	viewerFor = 6 * time.Second // a viewer looks once a second, and a busy page less often
	// sessionFor is how long a session goes on after the last look, so that it is still
	// there for who comes back from another tab, or from a terminal.
	sessionFor = 30 * time.Second
	// buttonsFor is how long who does not press keeps the buttons from somebody who would:
	// a page that is left open must not hold them for good.
	buttonsFor = time.Minute
	maxViewers = 200
	keepEvery  = 500 * time.Millisecond
)

// service runs a session while somebody looks. It is safe for concurrent use.
type service struct {
	cloud *cloud
	every time.Duration
	log   *slog.Logger
	work  time.Duration // 0: as long as a session says
	after time.Duration // the last look, until a session ends

	endpoint, region string // for who looks at the same with AWS's own tools

	sessions, points prometheus.Counter

	wake chan struct{}

	mu      sync.Mutex
	viewers map[string]time.Time // when each looked last
	looked  time.Time            // when any of them did
	holder  string               // the viewer who presses
	pressed time.Time            // when the holder did last, or got the buttons
	idle    time.Duration        // after which the holder loses them to who presses
	now     *session
	restart bool
}

func newService(c *cloud, every time.Duration, log *slog.Logger) *service {
	return &service{
		cloud: c, every: every, log: log, after: sessionFor, idle: buttonsFor, wake: make(chan struct{}, 1), viewers: map[string]time.Time{},
		sessions: prometheus.NewCounter(prometheus.CounterOpts{Name: "compare_sessions_total", Help: "Sessions that were started."}),
		points:   prometheus.NewCounter(prometheus.CounterOpts{Name: "compare_points_total", Help: "Points that ended sessions have copied to a queue and a stream."}),
	}
}

// keep starts and ends sessions until ctx ends. It is the only one who does: so one
// has ended before the next begins.
func (s *service) keep(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		s.turn(ctx)
		select {
		case <-ctx.Done():
			s.turn(ctx)
			return nil
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// turn ends the session if it is to end, and starts one if there is none and
// somebody looks, or did just now.
func (s *service) turn(ctx context.Context) {
	s.mu.Lock()
	watched := !s.looked.IsZero() && time.Since(s.looked) <= s.after && ctx.Err() == nil
	old, over := s.now, s.restart || !watched
	if !watched {
		s.holder = ""
	}
	if old != nil && over {
		s.now, s.restart = nil, false
	}
	s.mu.Unlock()

	if old != nil && !over || !watched && old == nil {
		return
	}
	if old != nil {
		old.end()
		s.points.Add(float64(old.tee.sent()))
		s.log.Info("nobody has looked for a while, or somebody starts over: the session has ended", "session", old.id, "points", old.tee.sent())
	}
	if watched {
		s.begin(ctx)
	}
}

func (s *service) begin(ctx context.Context) {
	next, err := newSession(rand.Text(), s.cloud, s.every, s.log)
	if err != nil {
		s.log.Error("no session could be made", "err", err)
		return
	}

	if s.work > 0 {
		next.work = s.work
	}
	if err := next.start(ctx); err != nil {
		s.log.Error("no session could be started", "err", err)
		next.end()
		return
	}

	s.sessions.Inc()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = next
}

// count forgets viewers who have left; the caller holds the lock.
func (s *service) count() int {
	for v, at := range s.viewers {
		if time.Since(at) > viewerFor {
			delete(s.viewers, v)
		}
	}
	return len(s.viewers)
}

// look notes that a viewer looks, and returns the session: nil until one has been
// started.
func (s *service) look(viewer string) (now *session, viewers int, yours bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.viewers[viewer]; !known && s.count() >= maxViewers {
		p := problem.New(problem.Unavailable, "%d people look at this page, which is all it takes. Try again in a minute.", maxViewers)
		p.RetryAfter = time.Minute
		return nil, 0, false, p
	}

	s.looked = time.Now()
	s.viewers[viewer] = s.looked
	if s.holder == "" {
		s.holder, s.pressed = viewer, s.looked
	}
	if s.now == nil {
		select {
		case s.wake <- struct{}{}:
		default: // it is awake
		}
	}
	return s.now, s.count(), s.holder == viewer, nil
}

// press lets a viewer do an act.
func (s *service) press(ctx context.Context, viewer, act string) error {
	if all := []string{ActLate, ActLose, ActJobs, ActSkip, ActSNS, ActSNSLate, ActRestart}; !slices.Contains(all, act) {
		return problem.Field("act", "It is one of %s.", strings.Join(all, ", "))
	}

	s.mu.Lock()
	s.count()
	_, looks := s.viewers[viewer]
	_, held := s.viewers[s.holder]
	if looks && (!held || time.Since(s.pressed) > s.idle) {
		s.holder = viewer // who pressed has left, or presses no more
	}
	now, mine := s.now, s.holder == viewer
	if looks && mine {
		s.pressed = time.Now()
	}
	if looks && mine && act == ActRestart && now != nil {
		s.restart = true
	}
	s.mu.Unlock()

	switch {
	case !looks:
		return problem.Field("viewer", "It is a viewer who looks at the session.")
	case !mine:
		return problem.New(problem.Conflict, "Somebody else presses the buttons. They are yours once that page is closed, or has pressed none for a minute.")
	case now == nil:
		p := problem.New(problem.Unavailable, "The session is starting. Try again in a second.")
		p.RetryAfter = time.Second
		return p
	case act == ActRestart:
		select {
		case s.wake <- struct{}{}:
		default:
		}
		return nil
	}
	return now.act(ctx, act)
}

type detail struct {
	Session string `json:"session"` // "": nobody looks
	Viewers int    `json:"viewers"`
	Points  int    `json:"points"`
}

func (s *service) detail() detail {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := detail{Viewers: s.count()}
	if s.now != nil {
		d.Session, d.Points = s.now.id, s.now.tee.sent()
	}
	return d
}
