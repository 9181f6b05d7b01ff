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

// planner renews, looks, plans and carries out, on one life of the stream.
type planner struct {
	g       *Group
	life    life
	reader  *shardreader.Reader
	ended   chan *lease
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
			failures++
			p.g.o.Log.Warn("looking at the leases fails; trying again", "err", err)
			wait = min(time.Duration(failures)*100*time.Millisecond, p.g.every())
		default:
			failures = 0
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case l := <-p.ended:
			t.Stop()
			if err := p.over(ctx, l); err != nil {
				return err
			}
		case <-t.C:
		}
	}
}

// tick renews our leases, then takes and gives back as planned. It gives the
// time until it should run again.
func (p *planner) tick(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, p.g.o.Lease)
	defer cancel()
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
	for _, m := range Plan(now, p.shards, leases, workers) {
		switch {
		case m.To == p.g.o.Worker:
			err = errors.Join(err, p.take(ctx, m))
		case m.From == p.g.o.Worker:
			if l := p.g.lease(m.Shard); l != nil {
				l.stop()
			}
		}
	}
	if time.Since(p.counted) > countEvery {
		err = errors.Join(err, p.count(ctx))
	}
	return p.next(now, leases), err
}

// next is a renewal's period, or less where another's lease expires before.
func (p *planner) next(now time.Time, leases []Lease) time.Duration {
	wait := p.g.every()
	for _, l := range leases {
		if left := l.ExpiresAt.Sub(now); l.held(now) && l.Owner != p.g.o.Worker && left < wait {
			wait = left + 10*time.Millisecond
		}
	}
	return wait
}

func (p *planner) renew(ctx context.Context) error {
	sent := time.Now()
	leases := p.g.holdings()
	held := make([]holding, len(leases))
	for i, l := range leases {
		held[i] = l.holding()
	}
	ours, err := p.g.store.renew(ctx, p.life.id, p.g.o.Worker, p.g.o.Lease, held)
	if err != nil {
		return err
	}
	for _, l := range leases {
		if ours[l.shard] {
			l.trust(sent)
		} else {
			l.lost()
		}
	}
	return nil
}

// list looks which shards there are.
func (p *planner) list(ctx context.Context) error {
	found, err := p.reader.Shards(ctx)
	if err != nil {
		return p.changed(ctx, err)
	}
	shards := make([]Shard, len(found))
	for i, s := range found {
		shards[i] = Shard{ID: s.ID, Parents: s.Parents}
	}
	if err := p.changed(ctx, nil); err != nil {
		return err
	}
	if err := p.g.store.addShards(ctx, p.life.id, shards); err != nil {
		return err
	}
	p.shards, p.listed = shards, time.Now()
	return nil
}

// changed gives ErrStreamChanged where the stream is another one by now, else
// err. It is asked after shards were listed, so that no shard of a new stream
// is taken for one of the old.
func (p *planner) changed(ctx context.Context, err error) error {
	now, derr := p.reader.Describe(ctx)
	if derr != nil {
		return errors.Join(err, derr)
	}
	if !now.Created.Equal(p.life.Created) {
		return fmt.Errorf("%w: made at %s", shardreader.ErrStreamChanged, now.Created.UTC().Format(time.RFC3339))
	}
	return err
}

func (p *planner) take(ctx context.Context, m Move) error {
	if p.g.lease(m.Shard) != nil {
		return nil // ours until a moment ago; its end is on the way
	}
	sent := time.Now()
	epoch, ok, err := p.g.store.acquire(ctx, p.life.id, m, p.g.o.Lease)
	if err != nil || !ok {
		return err
	}
	p.g.o.Log.Info("took a shard", "shard", m.Shard, "epoch", epoch)
	l := newLease(p.g, p.life, p.reader, m.Shard, epoch)
	l.trust(sent)
	p.g.mu.Lock()
	p.g.held[m.Shard] = l
	p.g.mu.Unlock()
	go func() {
		l.err = l.run()
		p.ended <- l
	}()
	return nil
}

// over gives a lease back whose reading ended.
func (p *planner) over(ctx context.Context, l *lease) error {
	l.end()
	p.g.mu.Lock()
	delete(p.g.held, l.shard)
	p.g.mu.Unlock()
	switch {
	case errors.Is(l.err, shardreader.ErrStreamChanged):
		return l.err
	case l.err == nil:
		p.g.o.Log.Info("a shard is drained", "shard", l.shard)
		p.listed = time.Time{} // its children
		return nil
	case errors.Is(l.err, ErrFenced):
		p.g.o.Log.Warn("lost a shard", "shard", l.shard, "err", l.err)
		return nil
	}
	if err := p.g.store.release(ctx, p.life.id, p.g.o.Worker, l.holding()); err != nil {
		p.g.o.Log.Warn("giving a lease back fails; it will expire", "err", err)
	}
	return nil
}

// drain ends all reading, waits for the batches under way and gives back what
// is held.
func (p *planner) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.g.o.Lease)
	defer cancel()
	left := p.g.holdings()
	for _, l := range left {
		l.stop()
	}
	for range left {
		_ = p.over(ctx, <-p.ended)
	}
	if err := p.g.store.leave(ctx, p.g.o.Worker); err != nil {
		p.g.o.Log.Warn("leaving the group fails; the heartbeat will expire", "err", err)
	}
}

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
