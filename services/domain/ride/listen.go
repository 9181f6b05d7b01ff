package ride

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const channel = "tandem_rides"

// change is what a notification says: which ride, and which drivers, to look at.
type change struct {
	Ride    string   `json:"r,omitempty"`
	Drivers []string `json:"d,omitempty"`
}

// notify tells listeners when the transaction commits, and never before: a
// listener that looks then sees the change.
func notify(ctx context.Context, tx pgx.Tx, rideID, driver, other string) error {
	c := change{Ride: rideID}
	if driver != "" {
		c.Drivers = append(c.Drivers, driver)
	}
	if other != "" && other != driver {
		c.Drivers = append(c.Drivers, other)
	}

	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("ride: notify: %w", err)
	}
	if _, err := tx.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, string(b)); err != nil {
		return fmt.Errorf("ride: notify: %w", err)
	}
	return nil
}

// Listener tells subscribers in this process that a ride or a driver has
// changed. A signal says "look again", nothing more: signals may be merged, may
// be spurious, and after a lost connection everybody is signalled once.
type Listener struct {
	pool *pgxpool.Pool
	log  *slog.Logger

	mu   sync.Mutex
	subs map[*Subscription]struct{}
}

// NewListener returns a listener; Run runs it.
func NewListener(pool *pgxpool.Pool, log *slog.Logger) *Listener {
	return &Listener{pool: pool, log: log, subs: map[*Subscription]struct{}{}}
}

// Subscription is what one subscriber wants to hear of.
type Subscription struct {
	// C has a value when there is something to look at.
	C      <-chan struct{}
	c      chan struct{}
	l      *Listener
	ride   string
	driver func(string) bool

	mu      sync.Mutex
	changed map[string]bool // drivers that changed since Take
	all     bool            // any driver may have changed since Take
}

// Ride subscribes to one ride.
func (l *Listener) Ride(id string) *Subscription { return l.add(&Subscription{ride: id}) }

// Drivers subscribes to the drivers for whom want returns true.
func (l *Listener) Drivers(want func(driver string) bool) *Subscription {
	return l.add(&Subscription{driver: want, changed: map[string]bool{}})
}

// Any subscribes to every change.
func (l *Listener) Any() *Subscription { return l.add(&Subscription{}) }

func (l *Listener) add(s *Subscription) *Subscription {
	s.c, s.l = make(chan struct{}, 1), l
	s.C = s.c

	l.mu.Lock()
	defer l.mu.Unlock()
	l.subs[s] = struct{}{}
	return s
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	delete(s.l.subs, s)
}

// Take returns the drivers that changed since the last Take; all reports that any
// driver may have changed.
func (s *Subscription) Take() (drivers []string, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()

	for d := range s.changed {
		drivers = append(drivers, d)
	}
	clear(s.changed)
	all, s.all = s.all, false
	return drivers, all
}

// signal never blocks: a signal that waits says already what this one would, so a
// slow subscriber holds up nobody.
func (s *Subscription) signal() {
	select {
	case s.c <- struct{}{}:
	default:
	}
}

func (s *Subscription) hear(c change) {
	switch {
	case s.driver != nil:
		hit := false

		s.mu.Lock()
		for _, d := range c.Drivers {
			if s.driver(d) {
				s.changed[d], hit = true, true
			}
		}
		s.mu.Unlock()

		if hit {
			s.signal()
		}
	case s.ride == "" || s.ride == c.Ride:
		s.signal()
	}
}

// Run listens until ctx ends, connecting again when the connection is lost.
func (l *Listener) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := l.listen(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a clean end
		}

		l.log.Warn("changes of rides are not heard; connecting again", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (l *Listener) listen(ctx context.Context) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}

	// The connection is closed at the end and does not return to the pool: its
	// next user would get the notifications.
	raw := conn.Hijack()
	defer func() { _ = raw.Close(context.WithoutCancel(ctx)) }()

	if _, err := raw.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}

	// What changed while nobody listened is lost, so everybody looks once; after
	// LISTEN, so that nothing falls in between.
	l.signalAll()
	for {
		n, err := raw.WaitForNotification(ctx)
		if err != nil {
			return err
		}

		var c change
		if err := json.Unmarshal([]byte(n.Payload), &c); err != nil {
			l.log.Warn("a notification cannot be read", "payload", n.Payload)
			continue
		}

		l.mu.Lock()
		for s := range l.subs {
			s.hear(c)
		}
		l.mu.Unlock()
	}
}

func (l *Listener) signalAll() {
	l.mu.Lock()
	defer l.mu.Unlock()

	for s := range l.subs {
		s.mu.Lock()
		s.all = true
		s.mu.Unlock()
		s.signal()
	}
}
