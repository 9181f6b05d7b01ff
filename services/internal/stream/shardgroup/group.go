package shardgroup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardreader"
)

// Commit writes the batch's checkpoint into tx, under the lease. Call it last,
// after the batch's own rows, then commit tx. ErrFenced: roll back.
//
// With upTo, the position of a record of the batch, the checkpoint is that record: a
// Processor may apply a batch in several transactions, or a part of it and return. What
// is left then comes again, as a batch of its own.
type Commit func(ctx context.Context, tx pgx.Tx, upTo ...shardreader.Position) error

// Processor applies a shard's batches, one at a time. Rows and checkpoint go
// into one transaction: begin, write rows, commit(ctx, tx), tx.Commit. It returns
// nil only once tx was committed; InTx does all that. After a failure the same records
// come again, but perhaps cut into other batches: a Processor identifies a record by its
// Position or by what is in its data, never by its index in a batch, its address
// in memory or a count of records.
type Processor interface {
	Process(ctx context.Context, b shardreader.Batch, commit Commit) error
}

// InTx returns a Processor that calls rows with each batch in a transaction of pool, and
// commits the batch's checkpoint in it. An error of rows rolls both back.
func InTx(pool *pgxpool.Pool, rows func(ctx context.Context, tx pgx.Tx, b shardreader.Batch) error) Processor {
	return inTx{pool, rows}
}

type inTx struct {
	pool *pgxpool.Pool
	rows func(ctx context.Context, tx pgx.Tx, b shardreader.Batch) error
}

func (p inTx) Process(ctx context.Context, b shardreader.Batch, commit Commit) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if err := p.rows(ctx, tx, b); err != nil {
			return err
		}
		return commit(ctx, tx) // last: the checkpoint vouches for the rows above
	})
}

// Group is one worker of a consumer group.
type Group struct {
	o     Options
	store checkpointStore

	records atomic.Int64

	mu       sync.Mutex
	life     life
	readings map[string]*reading // by shard
	leases   []Lease             // of all workers, as last seen
	seen     time.Time
	err      error // why the last look at the leases failed
	parked   int64
	gaps     int64
}

// firstWait is the first pause after a failure; each further one is twice as long.
const firstWait = 100 * time.Millisecond

// New returns a worker that works once Run runs. The error names the option that is
// wrong.
func New(o Options) (*Group, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}

	o.Log = o.Log.With("group", o.Name, "worker", o.Worker)
	return &Group{o: o, store: &store{pool: o.Pool, group: o.Name, generation: o.Generation}, readings: map[string]*reading{}}, nil
}

// margin is how long before its lease expires a worker stops trusting it: its
// clock may run slower than the database's, and to stop what it is doing takes a
// moment.
func (g *Group) margin() time.Duration { return g.o.Lease / 5 }

// every is the time between two renewals, so short that two in a row may fail.
func (g *Group) every() time.Duration { return g.o.Lease / 4 }

// freshFor is how long the last answer of a shard says how far behind it is: at
// the tip there is one each PollEvery, if not less often for throttling.
func (g *Group) freshFor() time.Duration { return 3 * cmp.Or(g.o.PollEvery, time.Second) }

// Run acquires shards and processes them until ctx ends, then finishes the
// batches under way, releases the leases and returns nil.
func (g *Group) Run(ctx context.Context) error {
	own, err := g.ownPool(ctx)
	if err != nil {
		return fmt.Errorf("shardgroup: %w", err)
	}
	defer own.Close()
	return g.run(ctx, &store{pool: own, group: g.o.Name, generation: g.o.Generation})
}

// run is Run with the store on the worker's own connections.
func (g *Group) run(ctx context.Context, own leaseStore) error {
	wait := firstWait
	for {
		began := time.Now()
		err := g.live(ctx, own)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopped, as asked
		}

		g.note(err)
		if errors.Is(err, shardreader.ErrStreamChanged) {
			g.o.Log.Warn("the stream was recreated; declaring gaps and starting on the new one", "err", err)
		} else {
			g.o.Log.Warn("the group can't read; trying again", "in", wait, "err", err)
		}

		// It worked for a while before it failed, so this is a new failure and begins
		// with the shortest wait again.
		if time.Since(began) > g.o.Lease {
			wait = firstWait
		}
		_ = sleep(ctx, wait) // if ctx has ended, live returns its error
		wait = min(2*wait, g.every())
	}
}

// live works on one life of the stream, until ctx ends (its error) or the
// stream is another one (ErrStreamChanged).
func (g *Group) live(ctx context.Context, own leaseStore) error {
	first, err := shardreader.New(g.o.reader(time.Time{}))
	if err != nil {
		return err
	}
	stream, err := first.Describe(ctx)
	if err != nil {
		return err
	}
	// Before anything of this life is read: registering it declares the gaps of
	// the one before.
	l, err := own.register(ctx, stream, g.o.Latest)
	if err != nil {
		return err
	}
	if err := own.checkTimeouts(ctx, g.o.Lease, g.o.Log); err != nil {
		return err
	}

	g.mu.Lock()
	g.life, g.leases = l, nil
	g.mu.Unlock()

	reader, err := shardreader.New(g.o.reader(l.Created))
	if err != nil {
		return err
	}
	p := &planner{
		g: g, store: own, life: l, reader: reader,
		ended: make(chan *reading), look: make(chan struct{}, 1), relist: make(chan struct{}, 1),
	}
	defer p.stop(ctx)
	return p.run(ctx)
}

// retention is how long the stream keeps its records, as it said last: that can be changed
// while a life lasts.
func (g *Group) retention() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.life.Retention
}

// note keeps for Ready whether the last look at the leases succeeded.
func (g *Group) note(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
	if err == nil {
		g.seen = time.Now()
	}
}

// Ready returns nil while the worker takes part, with shards or standing by: it
// has seen the leases within a lease time. Else it returns why not.
func (g *Group) Ready(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()

	switch {
	case !g.seen.IsZero() && time.Since(g.seen) <= g.o.Lease:
		return nil
	case g.err != nil:
		return fmt.Errorf("shardgroup: the leases cannot be seen: %w", g.err)
	case g.seen.IsZero():
		return errors.New("shardgroup: the leases have not been seen yet")
	}
	return fmt.Errorf("shardgroup: the leases were last seen %v ago", time.Since(g.seen).Round(time.Second))
}

// sleep waits for d or for ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
