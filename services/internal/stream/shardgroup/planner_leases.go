package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem/services/internal/stream/shardreader"
)

// renewing renews the leases four times in their life.
func (p *planner) renewing(ctx context.Context) error {
	failures := 0
	for {
		wait := p.g.every()
		if failures > 0 {
			wait = p.retryIn(failures)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}

		err := p.renew(ctx)
		failures = count(failures, err)
		if err != nil && ctx.Err() == nil {
			p.g.o.Log.Warn("renewing the leases fails; trying again", "err", err)
		}
	}
}

// renew extends the leases of all readings, and ends those that are not ours
// any more.
func (p *planner) renew(ctx context.Context) error {
	// Half a lease, so that after a call without an answer there is time for another.
	ctx, cancel := context.WithTimeout(ctx, p.g.o.Lease/2)
	defer cancel()

	// Trust counts from here: the database may extend the lease at any moment
	// until the answer, and the earliest is the only safe one.
	sent := time.Now()
	readings := p.g.all()
	renewals := make([]renewal, len(readings))
	for i, r := range readings {
		renewals[i] = r.renewal()
	}

	ours, err := p.store.renew(ctx, p.life.id, p.g.o.Worker, p.g.o.Lease, renewals)
	if err != nil {
		return err // nothing is lost yet: trust runs out by itself
	}

	for _, r := range readings {
		switch renewed, held := ours[r.lease.Shard]; {
		case !held:
			r.distrust()
		case renewed:
			r.trust(sent)
		}
	}
	return nil
}

// listing lists the shards now and then, and when there is a reason to.
func (p *planner) listing(ctx context.Context) error {
	failures := 0
	for {
		wait := relistEvery
		if failures > 0 {
			wait = p.retryIn(failures)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-p.relist:
		case <-t.C:
		}
		t.Stop()

		err := p.list(ctx)
		if errors.Is(err, shardreader.ErrStreamChanged) {
			return err
		}
		failures = count(failures, err)
		if err != nil && ctx.Err() == nil {
			p.g.o.Log.Warn("listing the shards fails; trying again", "err", err)
		}
	}
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

	of := p.life
	of.Retention = p.g.retention()
	if err := p.store.addShards(ctx, of, shards); err != nil {
		return err
	}
	poke(p.look)
	return nil
}

// changed returns ErrStreamChanged where the stream is another one by now, else err, and
// notes how long it keeps its records now: by that a gap is told.
func (p *planner) changed(ctx context.Context, err error) error {
	now, derr := p.reader.Describe(ctx)
	if derr != nil {
		return errors.Join(err, derr)
	}
	if !now.Created.Equal(p.life.Created) {
		return fmt.Errorf("%w: created at %s", shardreader.ErrStreamChanged, now.Created.UTC().Format(time.RFC3339))
	}

	p.g.mu.Lock()
	p.g.life.Retention = now.Retention
	p.g.mu.Unlock()
	return err
}

// listening hears from other workers that a lease was released or completed, that
// there are new shards, or another life. It is not needed, only faster: whatever
// was missed is seen at the next renewal's period.
func (p *planner) listening(ctx context.Context) error {
	for {
		err := p.store.listen(ctx, func() { poke(p.look) }, func() { poke(p.relist) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.g.o.Log.Warn("the group's notifications cannot be heard; trying again", "in", p.g.o.Lease, "err", err)
		if err := sleep(ctx, p.g.o.Lease); err != nil {
			return err
		}
	}
}

// count counts parked records and gaps, for Status.
func (p *planner) count(ctx context.Context) error {
	parked, gaps, err := p.store.counts(ctx)
	if err != nil {
		return fmt.Errorf("count parked records: %w", err)
	}
	p.counted = time.Now()

	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	p.g.parked, p.g.gaps = parked, gaps
	return nil
}
