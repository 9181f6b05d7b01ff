package shardgroup

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/services/internal/stream/shardreader"
)

// model is the contract of store in memory, for a simulation: what the SQL does to the
// rows of one group, and whom it lets wait for whom. Conform holds the two against each
// other.
type model struct {
	fast float64       // how much faster than the workers' clocks its own runs: 0.1 is 10 %
	idle time.Duration // a transaction ends of which nothing was heard for so long; 0: it does not

	mu      sync.Mutex
	began   time.Time
	ended   chan struct{} // closed and replaced when a transaction ends
	lives   []*modelLife
	workers map[string]modelWorker
	parked  map[parkedAt]string // why
	gaps    []modelGap
	hears   map[chan bool]bool // of listen: true says that there is a new life

	acquired func(life int64, shard, worker string) // is told of each lease that is acquired; nil: nobody is
}

type modelLife struct {
	life
	leases map[string]*modelLease
}

// modelLease is the row of a lease, with that of its checkpoint.
type modelLease struct {
	Lease
	parents []string
	at      checkpoint

	holder *modelTx // it has committed under the lease and has not ended
	closes bool     // with the end of the shard
}

type modelWorker struct {
	life    int64
	expires time.Time
}

type parkedAt struct {
	life int64
	shardreader.Position
}

type modelGap struct {
	gap
	life          int64
	shard, reason string
}

func newModel() *model {
	return &model{
		began: time.Now(), ended: make(chan struct{}), workers: map[string]modelWorker{},
		parked: map[parkedAt]string{}, hears: map[chan bool]bool{},
	}
}

// now is the database's clock.
func (m *model) now() time.Time {
	passed := time.Since(m.began)
	return m.began.Add(passed + time.Duration(m.fast*float64(passed)))
}

// until waits for transactions to end until free; mu is held when it returns.
func (m *model) until(ctx context.Context, free func() bool) error {
	for !free() {
		ended := m.ended
		m.mu.Unlock()
		select {
		case <-ended:
		case <-ctx.Done():
		}
		m.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// notify tells the workers; mu is held.
func (m *model) notify(recreated bool) {
	for c := range m.hears {
		select {
		case c <- recreated:
		default: // a notification may be lost
		}
	}
}

func (m *model) lease(id int64, shard string) *modelLease {
	for _, l := range m.lives {
		if l.id == id {
			return l.leases[shard]
		}
	}
	return nil
}

func (m *model) checkTimeouts(context.Context, time.Duration, *slog.Logger) error { return nil }

func (m *model) register(ctx context.Context, stream shardreader.Stream, latest bool) (life, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	// Whoever commits on the life before has ended when the new one is there.
	var found, before *modelLife
	err := m.until(ctx, func() bool {
		found, before = nil, nil
		for _, l := range m.lives { // in the order of their creation
			switch {
			case l.Created.Equal(stream.Created):
				found = l
			case l.Created.Before(stream.Created):
				before = l
			}
		}
		return found != nil || before == nil || !before.committing()
	})
	if err != nil || found != nil {
		return found.orNone(), err
	}

	now := &modelLife{life: life{Stream: stream, id: int64(len(m.lives) + 1)}, leases: map[string]*modelLease{}}
	if latest && before == nil {
		now.startAt = m.now()
	}
	m.lives = append(m.lives, now)
	if before != nil {
		m.endLife(before, stream.Created)
	}
	return now.life, nil
}

func (l *modelLife) orNone() life {
	if l == nil {
		return life{}
	}
	return l.life
}

func (l *modelLife) committing() bool {
	for _, lease := range l.leases {
		if lease.holder != nil {
			return true
		}
	}
	return false
}

func (m *model) endLife(of *modelLife, created time.Time) {
	listed := map[string]bool{} // shards with a child that somebody has listed
	for _, l := range of.leases {
		for _, p := range l.parents {
			listed[p] = true
		}
	}
	for shard, l := range of.leases {
		if !l.Completed || !listed[shard] {
			m.gaps = append(m.gaps, modelGap{gap: gap{from: l.at.known(), to: created}, life: of.id, shard: shard, reason: "stream_recreated"})
		}
		if !l.Completed {
			l.Owner, l.Epoch, l.Completed = "", l.Epoch+1, true
		}
	}
	m.notify(true)
}

func (m *model) addShards(_ context.Context, of life, shards []Shard) error {
	m.mu.Lock()
	defer m.mu.Unlock()

	added := false
	for _, l := range m.lives {
		for _, sh := range shards {
			if l.id != of.id || l.leases[sh.ID] != nil {
				continue
			}
			since := slices.MaxFunc([]time.Time{l.Created, l.startAt, m.now().Add(-of.Retention)}, time.Time.Compare)
			for _, p := range sh.Parents {
				if parent := l.leases[p]; parent != nil && parent.at.arrived.After(since) {
					since = parent.at.arrived
				}
			}
			l.leases[sh.ID] = &modelLease{
				Lease: Lease{Shard: sh.ID}, parents: sh.Parents,
				at: checkpoint{Position: shardreader.Position{Shard: sh.ID}, since: since},
			}
			added = true
		}
	}
	if added {
		m.notify(false)
	}
	return nil
}

func (m *model) announce(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notify(false)
	return nil
}

func (m *model) listen(ctx context.Context, changed, recreated func()) error {
	c := make(chan bool, 8)
	m.mu.Lock()
	m.hears[c] = true
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.hears, c)
	}()

	changed()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case again := <-c:
			if again {
				recreated()
			} else {
				changed()
			}
		}
	}
}

func (m *model) view(_ context.Context, id int64) (view, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	v := view{now: m.now()}
	for _, of := range m.lives {
		for _, l := range of.leases {
			if of.id != id {
				continue
			}
			seen := l.Lease
			seen.known = l.at.known()
			if seen.ExpiresAt.IsZero() {
				seen.ExpiresAt = time.Unix(0, 0)
			}
			v.leases = append(v.leases, seen)
			v.shards = append(v.shards, Shard{ID: l.Shard, Parents: append([]string{}, l.parents...)})
		}
	}
	for worker, w := range m.workers {
		if w.life == id {
			v.workers = append(v.workers, Worker{ID: worker, ExpiresAt: w.expires})
		}
	}

	slices.SortFunc(v.leases, func(a, b Lease) int { return strings.Compare(a.Shard, b.Shard) })
	slices.SortFunc(v.shards, func(a, b Shard) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(v.workers, func(a, b Worker) int { return cmp.Compare(a.ID, b.ID) })
	return v, nil
}

func (m *model) counts(context.Context) (parked, gaps int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.parked)), int64(len(m.gaps)), nil
}

func (m *model) acquire(_ context.Context, id int64, mv Move, ttl time.Duration) (lease Lease, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	l := m.lease(id, mv.Shard)
	if l == nil || l.Epoch != mv.Epoch || l.Completed || l.held(m.now()) || l.holder != nil {
		return Lease{}, false, nil
	}
	l.Owner, l.Epoch, l.ExpiresAt = mv.To, l.Epoch+1, m.now().Add(ttl)
	if m.acquired != nil {
		m.acquired(id, l.Shard, l.Owner)
	}
	return Lease{Shard: l.Shard, Owner: l.Owner, Epoch: l.Epoch}, true, nil
}

func (m *model) renew(_ context.Context, id int64, worker string, ttl time.Duration, renewals []renewal) (map[string]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.workers[worker] = modelWorker{life: id, expires: m.now().Add(ttl)}
	ours := map[string]bool{}
	for _, r := range renewals {
		l := m.lease(id, r.shard)
		if l == nil || l.Owner != worker || l.Epoch != r.epoch {
			continue
		}
		if ours[r.shard] = !l.closes; l.closes {
			continue // the row is locked: the next renewal may find it free
		}
		l.ExpiresAt = m.now().Add(ttl)
		if l.holder == nil && r.tip.After(l.at.tip) {
			l.at.tip = r.tip
		}
	}
	return ours, nil
}

func (m *model) release(ctx context.Context, id int64, of Lease) error {
	m.mu.Lock()
	defer m.mu.Unlock()

	l := m.lease(id, of.Shard)
	if l == nil {
		return nil
	}
	if err := m.until(ctx, func() bool { return !l.closes }); err != nil {
		return err
	}
	if l.Owner == of.Owner && l.Epoch == of.Epoch {
		l.Owner, l.ExpiresAt = "", time.Time{}
		m.notify(false)
	}
	return nil
}

func (m *model) leave(ctx context.Context, id int64, worker string) error {
	m.mu.Lock()
	defer m.mu.Unlock()

	delete(m.workers, worker)
	for _, of := range m.lives {
		for _, l := range of.leases {
			if of.id != id || l.Owner != worker {
				continue
			}
			if err := m.until(ctx, func() bool { return !l.closes }); err != nil {
				return err
			}
			if l.Owner == worker && !l.Completed {
				l.Owner, l.ExpiresAt = "", time.Time{}
			}
		}
	}
	m.notify(false)
	return nil
}

// take does what Pause and Resume do.
func (m *model) take(ctx context.Context, id int64, shard string, pause bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()

	l := m.lease(id, shard)
	if err := m.until(ctx, func() bool { return l.holder == nil }); err != nil {
		return err
	}
	if l.Completed {
		return fmt.Errorf("%w: %s is drained", ErrMoved, shard)
	}
	l.Owner, l.Epoch, l.ExpiresAt, l.Paused = "", l.Epoch+1, time.Time{}, pause
	m.notify(false)
	return nil
}
