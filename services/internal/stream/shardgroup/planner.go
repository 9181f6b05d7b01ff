package shardgroup

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/services/internal/stream/shardreader"
)

const (
	relistEvery = 30 * time.Second // how often shards are listed without a reason to
	countEvery  = 10 * time.Second // how often parked records and gaps are counted
)

// leaseStore is what the planner needs of the store, where the methods say what they do.
// Each call is a transaction of its own.
type leaseStore interface {
	checkTimeouts(ctx context.Context, lease time.Duration, log *slog.Logger) error
	register(ctx context.Context, stream shardreader.Stream, latest bool) (life, error)
	addShards(ctx context.Context, of life, shards []Shard) error
	announce(ctx context.Context) error
	leave(ctx context.Context, id int64, worker string) error

	view(ctx context.Context, id int64) (view, error)
	counts(ctx context.Context) (parked, gaps int64, err error)
	acquire(ctx context.Context, id int64, m Move, ttl time.Duration) (lease Lease, ok bool, err error)
	renew(ctx context.Context, id int64, worker string, ttl time.Duration, renewals []renewal) (map[string]bool, error)
	release(ctx context.Context, id int64, l Lease) error
	listen(ctx context.Context, changed, recreated func()) error
}

// planner works on one life of the stream. What may wait for different things
// runs in goroutines of its own: renewing asks the database, on a connection
// that nothing else uses; listing asks Kinesis; planning looks at all leases and
// carries out the moves; listening hears what other workers changed.
type planner struct {
	g      *Group
	store  leaseStore // on connections that no Processor uses
	life   life
	reader *shardreader.Reader
	ended  chan *reading // readings that have ended and are not settled
	look   chan struct{} // there may be something to move
	relist chan struct{} // there may be other shards, or another stream

	counted time.Time // planning's
}

// run works until ctx ends (its error) or the stream is another one
// (ErrStreamChanged).
func (p *planner) run(ctx context.Context) error {
	// Before the first plan: it counts the workers by their heartbeats, and the
	// shards by what was listed.
	if err := p.renew(ctx); err != nil {
		return err
	}
	if err := p.list(ctx); err != nil {
		return err
	}
	// The others have shards for this worker, and would look only at their next renewal.
	if err := p.store.announce(ctx); err != nil {
		return err
	}

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.planning(ctx) })
	g.Go(func() error { return p.listing(ctx) })
	g.Go(func() error { return p.listening(ctx) })
	g.Go(func() error { return p.renewing(ctx) })
	return g.Wait()
}

// planning looks at the leases each renewal's period, and whenever something may
// have to move.
func (p *planner) planning(ctx context.Context) error {
	failures := 0
	for {
		wait, err := p.tick(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.g.note(err)
		if failures = count(failures, err); err != nil {
			wait = p.retryIn(failures)
			p.g.o.Log.Warn("looking at the leases fails; trying again", "in", wait, "err", err)
		}

		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case r := <-p.ended:
			if err := p.settle(ctx, r); err != nil {
				t.Stop()
				return err
			}
		case <-p.look:
		case <-t.C:
		}
		t.Stop()
	}
}

// tick looks at all leases, then acquires and releases as planned. It returns the
// time until it should run again.
func (p *planner) tick(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, p.g.o.Lease)
	defer cancel()

	v, err := p.store.view(ctx, p.life.id)
	if err != nil {
		return 0, err
	}
	p.g.mu.Lock()
	p.g.leases, p.g.seen = v.leases, time.Now()
	p.g.mu.Unlock()

	// Somebody took the lease from us, to pause the shard or to move its checkpoint: let go
	// now, not at the next renewal.
	for _, l := range v.leases {
		if r := p.g.reading(l.Shard); r != nil && r.lease.Epoch < l.Epoch {
			r.distrust()
		}
	}

	// Others carry out their own moves; a move that is overtaken finds another epoch.
	for _, m := range Plan(v.now, v.shards, v.leases, v.workers) {
		switch {
		case m.To == p.g.o.Worker:
			err = errors.Join(err, p.acquire(ctx, m))
		case m.From == p.g.o.Worker:
			if r := p.g.reading(m.Shard); r != nil {
				r.stop() // settle releases the lease once the batch under way is done
			}
		}
	}

	if time.Since(p.counted) > countEvery {
		err = errors.Join(err, p.count(ctx))
	}
	return p.untilNext(v), err
}

// untilNext is a renewal's period, or less where another's lease expires before:
// who acquires it need not wait for a period to pass.
func (p *planner) untilNext(v view) time.Duration {
	wait := p.g.every()
	for _, l := range v.leases {
		if left := l.ExpiresAt.Sub(v.now); l.held(v.now) && l.Owner != p.g.o.Worker && left < wait {
			wait = left + 10*time.Millisecond
		}
	}
	return wait
}

// retryIn is how long to wait after so many failures in a row: soon, and never
// longer than a renewal's period.
func (p *planner) retryIn(failures int) time.Duration {
	return min(time.Duration(failures)*firstWait, p.g.every())
}

// count returns how many failures in a row there are after one more try.
func count(failures int, err error) int {
	if err == nil {
		return 0
	}
	return failures + 1
}

// poke lets a goroutine that waits on c look again, once for all pokes until then.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
