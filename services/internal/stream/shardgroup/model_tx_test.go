package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// modelTx is a transaction of a model: what it writes is there once it has committed.
type modelTx struct {
	pgx.Tx // nil: nobody calls it

	m      *model
	over   bool
	writes []func()
	at     map[*modelLease]shardreader.Position // the checkpoints that it wrote
	idle   *time.Timer
}

var errNoTransaction = errors.New("the transaction was ended by the database")

func (m *model) begin(ctx context.Context, f func(tx pgx.Tx) error) error {
	t := &modelTx{m: m, at: map[*modelLease]shardreader.Position{}}
	if m.idle > 0 {
		t.idle = time.AfterFunc(m.idle, t.abort)
		defer t.idle.Stop()
	}
	err := f(t)

	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && t.over {
		err = errNoTransaction
	}
	if err == nil {
		for _, write := range t.writes {
			write()
		}
	}
	t.end()
	return err
}

// abort is what a database does to a transaction whose client is silent, or gone.
func (t *modelTx) abort() {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	t.end()
}

// end frees the leases; mu is held.
func (t *modelTx) end() {
	for l := range t.at {
		if l.holder == t {
			l.holder, l.closes = nil, false
		}
	}
	t.over = true
	close(t.m.ended)
	t.m.ended = make(chan struct{})
}

func (m *model) checkpoint(_ context.Context, id int64, shard string) (checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	l := m.lease(id, shard)
	if l == nil {
		return checkpoint{}, fmt.Errorf("read the checkpoint of %s: %w", shard, pgx.ErrNoRows)
	}
	return l.at, nil
}

func (m *model) commit(ctx context.Context, tx pgx.Tx, st step) error {
	t := tx.(*modelTx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.idle != nil {
		t.idle.Reset(m.idle)
	}

	l := m.lease(st.stream, st.lease.Shard)
	if l == nil {
		return fmt.Errorf("%w: %s", ErrFenced, st.lease.Shard)
	}
	if err := m.until(ctx, func() bool { return t.over || l.holder == nil || l.holder == t }); err != nil {
		return err
	}

	at, again := t.at[l]
	if !again {
		at = l.at.Position
	}
	switch {
	case t.over:
		return errNoTransaction
	case l.Owner != st.lease.Owner || l.Epoch != st.lease.Epoch || !l.ExpiresAt.After(m.now()):
		return fmt.Errorf("%w: %s", ErrFenced, st.lease.Shard)
	case at.Sequence != st.from.Sequence || at.Sub != st.from.Sub:
		return errRolledBack
	}

	l.holder, l.closes, t.at[l] = t, l.closes || st.closed, st.next
	t.writes = append(t.writes, func() { m.write(l, st) })
	return nil
}

// write is what a step does once its transaction has committed; mu is held.
func (m *model) write(l *modelLease, st step) {
	l.at.Sequence, l.at.Sub = st.next.Sequence, st.next.Sub
	if !st.arrived.IsZero() {
		l.at.arrived = st.arrived
	}
	if st.tip.After(l.at.tip) {
		l.at.tip = st.tip
	}

	for _, p := range st.parked {
		at := parkedAt{st.stream, p.Position}
		if _, already := m.parked[at]; !already {
			m.parked[at] = p.reason
		}
	}
	if st.gap != nil {
		m.declare(st)
	}
	if st.closed {
		l.Owner, l.Completed = "", true
		m.notify(false)
	}
}

func (m *model) declare(st step) {
	for i, g := range m.gaps {
		if g.life == st.stream && g.shard == st.lease.Shard && g.reason == "trimmed" && g.to.Equal(st.gap.from) {
			m.gaps[i].to = st.gap.to
			return
		}
	}
	m.gaps = append(m.gaps, modelGap{gap: *st.gap, life: st.stream, shard: st.lease.Shard, reason: "trimmed"})
}
