package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardreader"
)

// Commit writes the batch's checkpoint into tx, under the lease. Call it last,
// after the batch's own rows, then commit tx. ErrFenced: roll back.
type Commit func(ctx context.Context, tx pgx.Tx) error

// Processor applies a shard's batches, one at a time. Rows and checkpoint go
// into one transaction: begin, write rows, commit(ctx, tx), tx.Commit. A nil
// error says that tx was committed. It must not keep b.Records' order, memory
// or count for an identity: after a failure the batch comes again, perhaps cut
// otherwise.
type Processor interface {
	Process(ctx context.Context, b shardreader.Batch, commit Commit) error
}

// Options of a Group. Client, Stream, Pool, Name, Worker and Processor are needed.
type Options struct {
	Client shardreader.Client
	Stream string // the stream's name
	Pool   *pgxpool.Pool

	Name       string // the group: each group reads every record once
	Generation int    // a rebuild reads everything again under the next one
	Worker     string // unique among all workers, also over restarts: WorkerID gives one
	// Processor makes the processor of one shard for as long as the lease is
	// held and nothing fails: what it caches is true for that long.
	Processor func(shard string) Processor

	Lease     time.Duration // a worker is trusted this long after it last renewed; 0 is 10 s
	PollEvery time.Duration // see shardreader.Options
	Latest    bool          // a new group starts with what arrives from now on, not with the oldest record
	Poison    Poison
	MaxTries  int           // of a record under Park; 0 is 5
	Backoff   time.Duration // the longest wait between tries; 0 is 15 s
	Log       *slog.Logger  // nil: slog.Default()
}

// Group is one worker of a consumer group.
type Group struct {
	o     Options
	store *store

	records atomic.Int64

	mu     sync.Mutex
	life   life
	held   map[string]*lease
	leases []Lease // as last seen
	seen   time.Time
	err    error // why the last look at the leases failed
	parked int64
	gaps   int64
}

// New makes a worker; Run makes it work.
func New(o Options) (*Group, error) {
	switch {
	case o.Client == nil || o.Stream == "" || o.Pool == nil:
		return nil, errors.New("shardgroup: Client, Stream and Pool are needed")
	case o.Name == "" || o.Worker == "" || o.Processor == nil:
		return nil, errors.New("shardgroup: Name, Worker and Processor are needed")
	}
	if o.Lease == 0 {
		o.Lease = 10 * time.Second
	}
	if o.MaxTries == 0 {
		o.MaxTries = 5
	}
	if o.Backoff == 0 {
		o.Backoff = 15 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Log = o.Log.With("group", o.Name, "worker", o.Worker)
	return &Group{o: o, store: &store{pool: o.Pool, group: o.Name, generation: o.Generation}, held: map[string]*lease{}}, nil
}

// margin is how long before its lease expires a worker stops trusting it: what
// its clock may run slow, and the time that a renewal's answer travels.
func (g *Group) margin() time.Duration { return g.o.Lease / 5 }

// every is the time between two renewals.
func (g *Group) every() time.Duration { return g.o.Lease / 4 }

// Run takes shards and processes them until ctx ends, then finishes the batches
// under way, gives the leases back and returns nil.
func (g *Group) Run(ctx context.Context) error {
	wait := 100 * time.Millisecond
	for {
		began := time.Now()
		err := g.live(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // drained, as asked
		}
		g.note(err)
		if errors.Is(err, shardreader.ErrStreamChanged) {
			g.o.Log.Warn("the stream was made anew; declaring gaps and starting on the new one", "err", err)
		} else {
			g.o.Log.Warn("the group can't read; trying again", "in", wait, "err", err)
		}
		if time.Since(began) > g.o.Lease {
			wait = 100 * time.Millisecond
		}
		_ = sleep(ctx, wait) // where ctx ended, live says so
		wait = min(2*wait, g.every())
	}
}

// live works on one life of the stream, until ctx ends (its error) or the
// stream is another one (ErrStreamChanged).
func (g *Group) live(ctx context.Context) error {
	stream, err := shardreader.New(shardreader.Options{Client: g.o.Client, Stream: g.o.Stream}).Describe(ctx)
	if err != nil {
		return err
	}
	l, err := g.store.register(ctx, stream, g.o.Latest)
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.life, g.leases = l, nil
	g.mu.Unlock()
	p := &planner{g: g, life: l, ended: make(chan *lease), reader: shardreader.New(shardreader.Options{
		Client: g.o.Client, Stream: g.o.Stream, Created: l.Created, PollEvery: g.o.PollEvery, Empty: true, Log: g.o.Log,
	})}
	defer p.drain(ctx)
	return p.run(ctx)
}

func (g *Group) note(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
	if err == nil {
		g.seen = time.Now()
	}
}

// Ready says whether the worker takes part: it has seen the leases lately,
// holding some or standing by.
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
