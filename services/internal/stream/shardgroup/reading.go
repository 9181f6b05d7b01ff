package shardgroup

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// checkpointStore is what a reading needs of the store.
type checkpointStore interface {
	checkpoint(ctx context.Context, id int64, shard string) (checkpoint, error)
	begin(ctx context.Context, f func(tx pgx.Tx) error) error
	commit(ctx context.Context, tx pgx.Tx, st step) error
}

// reading is the reading of one shard under a lease of this worker.
type reading struct {
	g      *Group
	life   life
	reader *shardreader.Reader
	lease  Lease // as it was acquired
	err    error // set once the reading has ended; nil: the shard is drained

	work     context.Context // ends when the lease is not to be trusted any more
	distrust context.CancelFunc
	read     context.Context // ends, too, when no more should be read
	stop     context.CancelFunc
	expiry   *time.Timer // calls distrust

	mu      sync.Mutex
	at      checkpoint
	behind  time.Duration
	polled  time.Time
	failing error
	alone   *shardreader.Position // the record that failed when it was applied alone; nil: none did

	processor Processor            // of this attempt, and used by it alone
	committed shardreader.Position // where the checkpoint is, if what was committed was not rolled back

	most   int // how many records to apply at once; 0: all of a batch
	tries  map[shardreader.Position]int
	toPark map[shardreader.Position]string // why; they are parked with the next checkpoint
	gap    *gap                            // is declared with the next checkpoint
}

func newReading(g *Group, of life, reader *shardreader.Reader, lease Lease) *reading {
	r := &reading{
		g: g, life: of, reader: reader, lease: lease,
		tries: map[shardreader.Position]int{}, toPark: map[shardreader.Position]string{},
	}

	r.work, r.distrust = context.WithCancel(context.Background())
	r.read, r.stop = context.WithCancel(r.work)
	r.expiry = time.AfterFunc(g.o.Lease, r.distrust)
	return r
}

// trust extends our own belief in the lease, counted from when the renewal was
// sent, by this machine's monotonic clock.
func (r *reading) trust(sent time.Time) {
	r.expiry.Reset(r.g.o.Lease - r.g.margin() - time.Since(sent))
}

// end frees what the reading holds.
func (r *reading) end() {
	r.expiry.Stop()
	r.distrust()
}

func (r *reading) renewal() renewal {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := renewal{shard: r.lease.Shard, epoch: r.lease.Epoch, tip: r.at.tip, failingAt: r.alone}
	if r.failing != nil {
		out.failing = r.failing.Error()
	}
	return out
}

func (r *reading) status() ShardStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := ShardStatus{
		Shard: r.lease.Shard, Worker: r.lease.Owner, Epoch: r.lease.Epoch, Sequence: r.at.Sequence,
		PolledAt: r.polled, Err: r.failing,
	}

	// Until the checkpoint has been read, nothing says how far the shard is applied.
	if !r.polled.IsZero() || !r.at.known().IsZero() {
		s.Behind, s.Known = r.lag(time.Now()), true
	}
	return s
}

// lag is how far the shard is applied behind its tip; mu is held. What the last
// answer said is true for as long as answers are applied one after another. From
// then on it is what it can be at most: the time since which everything is known
// to be applied.
func (r *reading) lag(now time.Time) time.Duration {
	if r.failing == nil && now.Sub(r.polled) <= r.g.freshFor() {
		return r.behind
	}
	return max(now.Sub(r.at.known()), 0)
}

// run reads and processes until the shard is drained (nil), it is asked to
// stop, or the lease is lost. After any other failure it starts again from the
// checkpoint: whether a transaction whose answer was lost has committed, only
// the checkpoint knows.
func (r *reading) run() error {
	wait := firstWait
	for {
		err := r.attempt(&wait)
		switch {
		case err == nil, errors.Is(err, ErrFenced), errors.Is(err, shardreader.ErrStreamChanged):
			return err
		case r.read.Err() != nil:
			return r.read.Err()
		}

		r.g.o.Log.Warn("a shard can't be applied; trying again", "shard", r.lease.Shard, "in", wait, "err", err)
		r.mu.Lock()
		r.failing = err
		r.mu.Unlock()
		r.g.o.Metrics.Failed(r.lease.Shard)
		if err := sleep(r.read, wait); err != nil {
			return err
		}
		wait = min(2*wait, r.g.o.Backoff)
	}
}

// attempt reads on from the checkpoint, until the shard is drained (nil) or
// something fails. A batch that is applied resets wait.
func (r *reading) attempt(wait *time.Duration) error {
	at, err := r.g.store.checkpoint(r.work, r.life.id, r.lease.Shard)
	if err != nil {
		return err
	}
	r.committed = at.Position
	if at, err = r.declareOverdue(at); err != nil {
		return err
	}
	r.mu.Lock()
	r.at = at
	r.mu.Unlock()

	start := shardreader.After(at.Position)
	if from := cmp.Or(at.start, r.life.startAt); at.Sequence == "" && !from.IsZero() {
		start = shardreader.At(from)
	}

	// A new Processor each time: what the old one cached may be what rolled back.
	// Likewise the gap: the one of a failed attempt is found again.
	r.processor, r.gap = r.g.o.Processor(r.lease.Shard), nil
	drained := false
	err = r.reader.Shard(r.read, r.lease.Shard, start, func(_ context.Context, b shardreader.Batch) error {
		// A batch that has begun is finished, as long as the lease is ours: work
		// outlives read.
		err := r.handle(r.work, b)
		if err == nil {
			*wait = firstWait
			drained = b.Closed
		}
		return err
	})
	switch {
	case errors.Is(err, shardreader.ErrShardGone):
		return r.completeGone()
	case err == nil && !drained:
		return r.read.Err() // Shard returns nil, too, once it was told to stop
	}
	return err
}
