package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem/services/internal/stream/shardreader"
)

const (
	relistEvery = 30 * time.Second // how often shards are listed without a reason to
	countEvery  = 10 * time.Second // how often parked records and gaps are counted
)

// planner renews leases, looks at all of them, plans and carries out the moves,
// on one life of the stream.
type planner struct {
	g       *Group
	life    life
	reader  *shardreader.Reader
	ended   chan *reading // readings that have ended and are not settled
	shards  []Shard
	listed  time.Time
	counted time.Time
}

func (p *planner) run(ctx context.Context) error {
	failures := 0
	for {
		wait, err := p.tick(ctx)
		p.g.note(err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, shardreader.ErrStreamChanged):
			return err
		case err != nil:
			// Soon, and never later than a renewal is due: leases run meanwhile.
			failures++
			p.g.o.Log.Warn("looking at the leases fails; trying again", "err", err)
			wait = min(time.Duration(failures)*firstWait, p.g.every())
		default:
			failures = 0
		}

		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case r := <-p.ended:
			t.Stop()
			if err := p.settle(ctx, r); err != nil {
				return err
			}
		case <-t.C:
		}
	}
}

// tick renews our leases, then acquires and releases as planned. It returns the
// time until it should run again.
func (p *planner) tick(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, p.g.o.Lease)
	defer cancel()

	// Renewing comes first: listing asks Kinesis, which may be slow or away while
	// the leases run.
	if err := p.renew(ctx); err != nil {
		return 0, err
	}
	if time.Since(p.listed) > relistEvery {
		if err := p.list(ctx); err != nil {
			return 0, err
		}
	}

	now, leases, workers, err := p.g.store.view(ctx, p.life.id)
	if err != nil {
		return 0, err
	}
	p.g.mu.Lock()
	p.g.leases = leases
	p.g.mu.Unlock()

	// Others carry out their own moves; a move that is overtaken finds another epoch.
	for _, m := range Plan(now, p.shards, leases, workers) {
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
	return p.untilNext(now, leases), err
}

// untilNext is a renewal's period, or less where another's lease expires before:
// who acquires it need not wait for a period to pass.
func (p *planner) untilNext(now time.Time, leases []Lease) time.Duration {
	wait := p.g.every()
	for _, l := range leases {
		if left := l.ExpiresAt.Sub(now); l.held(now) && l.Owner != p.g.o.Worker && left < wait {
			wait = left + 10*time.Millisecond
		}
	}
	return wait
}

// renew extends the leases of all readings, and ends those that are not ours
// any more.
func (p *planner) renew(ctx context.Context) error {
	// Trust counts from here: the database may extend the lease at any moment
	// until the answer, and the earliest is the only safe one.
	sent := time.Now()
	readings := p.g.all()
	renewals := make([]renewal, len(readings))
	for i, r := range readings {
		renewals[i] = r.renewal()
	}

	ours, err := p.g.store.renew(ctx, p.life.id, p.g.o.Worker, p.g.o.Lease, renewals)
	if err != nil {
		return err // nothing is lost yet: trust runs out by itself
	}

	for _, r := range readings {
		if ours[r.lease.Shard] {
			r.trust(sent)
		} else {
			r.distrust()
		}
	}
	return nil
}

// list looks which shards the stream has.
func (p *planner) list(ctx context.Context) error {
	found, err := p.reader.Shards(ctx)
	if err != nil {
		return p.changed(ctx, err)
	}
	shards := make([]Shard, len(found))
	for i, s := range found {
		shards[i] = Shard{ID: s.ID, Parents: s.Parents}
	}

	// After listing, so that no shard of a new stream is taken for one of the old.
	if err := p.changed(ctx, nil); err != nil {
		return err
	}

	if err := p.g.store.addShards(ctx, p.life.id, shards); err != nil {
		return err
	}
	p.shards, p.listed = shards, time.Now()
	return nil
}

// changed returns ErrStreamChanged where the stream is another one by now, else
// err.
func (p *planner) changed(ctx context.Context, err error) error {
	now, derr := p.reader.Describe(ctx)
	if derr != nil {
		return errors.Join(err, derr)
	}
	if !now.Created.Equal(p.life.Created) {
		return fmt.Errorf("%w: created at %s", shardreader.ErrStreamChanged, now.Created.UTC().Format(time.RFC3339))
	}
	return err
}

// count counts parked records and gaps, for Status.
func (p *planner) count(ctx context.Context) error {
	parked, gaps, err := p.g.store.counts(ctx)
	if err != nil {
		return fmt.Errorf("count parked records: %w", err)
	}
	p.counted = time.Now()

	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	p.g.parked, p.g.gaps = parked, gaps
	return nil
}
