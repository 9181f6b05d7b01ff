package shardgroup

import (
	"context"
	"errors"
	"time"

	"tandem/services/internal/stream/shardreader"
)

// acquire takes a lease that nobody holds and starts reading its shard.
func (p *planner) acquire(ctx context.Context, m Move) error {
	if p.g.reading(m.Shard) != nil {
		return nil // ours until a moment ago: that reading must end first
	}
	if err := ctx.Err(); err != nil {
		return err
	}

	// An acquire that has begun is finished though ctx ends: the lease might be
	// acquired and its answer lost, and nobody could read the shard until it expires.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.g.o.Lease/2)
	defer cancel()

	sent := time.Now()
	lease, ok, err := p.store.acquire(ctx, p.life.id, m, p.g.o.Lease)
	if err != nil || !ok {
		return err // not ok: another was faster, or the lease is not as it was planned on
	}

	p.g.o.Log.Info("acquired a shard", "shard", m.Shard, "epoch", lease.Epoch)
	r := newReading(p.g, p.life, p.reader, lease)
	r.trust(sent)
	p.g.mu.Lock()
	p.g.readings[m.Shard] = r
	p.g.mu.Unlock()
	p.g.o.Metrics.Held(1)

	go func() {
		r.err = r.run()
		p.ended <- r
	}()
	return nil
}

// settle does what the end of a reading asks for: mostly, release its lease.
func (p *planner) settle(ctx context.Context, r *reading) error {
	// Before end, which lets go of a lease that is still ours.
	lost := r.work.Err() != nil || errors.Is(r.err, ErrFenced)
	r.end()
	p.g.mu.Lock()
	delete(p.g.readings, r.lease.Shard)
	p.g.mu.Unlock()

	p.g.o.Metrics.Held(-1)
	if lost {
		p.g.o.Metrics.Lost(r.lease.Shard)
	}

	switch {
	case errors.Is(r.err, shardreader.ErrStreamChanged):
		return r.err
	case r.err == nil:
		p.g.o.Log.Info("a shard is drained", "shard", r.lease.Shard)
		poke(p.relist) // at once: its children may be read now, and perhaps nobody has listed them
		return nil
	case errors.Is(r.err, ErrFenced):
		p.g.o.Log.Warn("lost a shard", "shard", r.lease.Shard, "err", r.err)
		return nil // nothing to release: the lease is another's
	}

	if err := p.store.release(ctx, p.life.id, r.lease); err != nil {
		p.g.o.Log.Warn("releasing a lease fails; it will expire", "err", err)
	}
	return nil
}

// stop ends all readings, waits for the batches under way and releases their
// leases, so that others go on at once.
func (p *planner) stop(ctx context.Context) {
	// ctx may have ended; what is left to do is bounded by a lease time, after
	// which the leases have expired anyway.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.g.o.Lease)
	defer cancel()

	left := p.g.all()
	for _, r := range left {
		r.stop()
	}
	for range left {
		_ = p.settle(ctx, <-p.ended)
	}
	if err := p.store.leave(ctx, p.life.id, p.g.o.Worker); err != nil {
		p.g.o.Log.Warn("leaving the group fails; the heartbeat and the leases will expire", "err", err)
	}
}
