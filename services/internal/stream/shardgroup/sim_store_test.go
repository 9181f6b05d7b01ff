package shardgroup

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// travel is the way there or back: mostly milliseconds, sometimes seconds.
func (p *proc) travel(ctx context.Context) error {
	d := time.Duration(p.intN(20_000)) * time.Microsecond
	if p.chance(func(r simRates) float64 { return r.slow }) {
		d = time.Duration(p.intN(6000)) * time.Millisecond
	}
	return sleep(ctx, d)
}

// sent is the way of a call to the database. It returns the context that goes on.
func (p *proc) sent(ctx context.Context) (context.Context, error) {
	ctx, err := p.pass(ctx)
	if err == nil {
		err = p.travel(ctx)
	}
	if err == nil {
		ctx, err = p.pass(ctx)
	}
	if err == nil {
		err = p.there(ctx)
	}
	if err == nil && p.chance(func(r simRates) float64 { return r.fails }) {
		err = errCall
	}
	return ctx, err
}

// answered is the way back, on which the answer may be lost.
func (p *proc) answered(ctx context.Context) error {
	err := p.travel(ctx)
	if err == nil {
		_, err = p.pass(ctx)
	}
	if err == nil && p.chance(func(r simRates) float64 { return r.lost }) {
		err = errLost
	}
	return err
}

// call is a call to the database.
func call[T any](ctx context.Context, p *proc, f func(ctx context.Context) (T, error)) (out T, err error) {
	if ctx, err = p.sent(ctx); err != nil {
		return out, err
	}
	if out, err = f(ctx); err == nil {
		err = p.answered(ctx)
	}
	return out, err
}

type nothing struct{}

func (p *proc) do(ctx context.Context, f func(ctx context.Context) error) error {
	_, err := call(ctx, p, func(ctx context.Context) (nothing, error) { return nothing{}, f(ctx) })
	return err
}

func (p *proc) checkTimeouts(ctx context.Context, lease time.Duration, log *slog.Logger) error {
	return p.do(ctx, func(ctx context.Context) error { return p.m.checkTimeouts(ctx, lease, log) })
}

func (p *proc) register(ctx context.Context, stream shardreader.Stream, latest bool) (life, error) {
	return call(ctx, p, func(ctx context.Context) (life, error) { return p.m.register(ctx, stream, latest) })
}

func (p *proc) addShards(ctx context.Context, of life, shards []Shard) error {
	return p.do(ctx, func(ctx context.Context) error { return p.m.addShards(ctx, of, shards) })
}

func (p *proc) announce(ctx context.Context) error { return p.do(ctx, p.m.announce) }

func (p *proc) leave(ctx context.Context, id int64, worker string) error {
	return p.do(ctx, func(ctx context.Context) error { return p.m.leave(ctx, id, worker) })
}

func (p *proc) view(ctx context.Context, id int64) (view, error) {
	return call(ctx, p, func(ctx context.Context) (view, error) { return p.m.view(ctx, id) })
}

func (p *proc) counts(ctx context.Context) (parked, gaps int64, err error) {
	err = p.do(ctx, func(ctx context.Context) error {
		parked, gaps, err = p.m.counts(ctx)
		return err
	})
	return parked, gaps, err
}

func (p *proc) acquire(ctx context.Context, id int64, m Move, ttl time.Duration) (lease Lease, ok bool, err error) {
	lease, err = call(ctx, p, func(ctx context.Context) (l Lease, err error) {
		l, ok, err = p.m.acquire(ctx, id, m, ttl)
		return l, err
	})
	return lease, ok, err
}

func (p *proc) renew(ctx context.Context, id int64, worker string, ttl time.Duration, renewals []renewal) (map[string]bool, error) {
	return call(ctx, p, func(ctx context.Context) (map[string]bool, error) { return p.m.renew(ctx, id, worker, ttl, renewals) })
}

func (p *proc) release(ctx context.Context, id int64, l Lease) error {
	return p.do(ctx, func(ctx context.Context) error { return p.m.release(ctx, id, l) })
}

func (p *proc) listen(ctx context.Context, changed, recreated func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.state.Lock()
	p.hangUp = cancel
	p.state.Unlock()

	if _, err := p.sent(ctx); err != nil {
		return err
	}
	heard := func(f func()) func() {
		return func() {
			if _, err := p.pass(ctx); err == nil && !p.chance(func(r simRates) float64 { return r.noticeOff }) {
				f()
			}
		}
	}
	return p.m.listen(ctx, heard(changed), heard(recreated))
}

func (p *proc) checkpoint(ctx context.Context, id int64, shard string) (checkpoint, error) {
	return call(ctx, p, func(ctx context.Context) (checkpoint, error) { return p.m.checkpoint(ctx, id, shard) })
}

func (p *proc) commit(ctx context.Context, tx pgx.Tx, st step) error {
	return p.do(ctx, func(ctx context.Context) error { return p.m.commit(ctx, tx, st) })
}

func (p *proc) begin(ctx context.Context, f func(tx pgx.Tx) error) error {
	return p.do(ctx, func(ctx context.Context) error {
		// Its COMMIT travels by itself, and looks at ctx when it is sent.
		return p.m.begin(context.WithoutCancel(ctx), func(tx pgx.Tx) error {
			t := tx.(*modelTx)
			p.mu.Lock()
			p.open[t] = p
			p.mu.Unlock()
			defer func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				delete(p.open, t)
			}()

			if err := f(tx); err != nil {
				return err
			}
			_, err := p.sent(ctx)
			return err
		})
	})
}
