package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// lease is one shard that this worker holds, and the reading of it.
type lease struct {
	g      *Group
	life   life
	reader *shardreader.Reader
	shard  string
	epoch  int64
	err    error // set once reading has ended

	work   context.Context // ends when the lease is not to be trusted any more
	lost   context.CancelFunc
	read   context.Context // ends, too, when no more should be read
	stop   context.CancelFunc
	expiry *time.Timer

	mu      sync.Mutex
	at      checkpoint
	behind  time.Duration
	polled  time.Time
	failing error

	tries  map[shardreader.Position]int
	parked map[shardreader.Position]string // to be put aside with the next checkpoint
	gap    *gap                            // to be declared with the next checkpoint
}

func newLease(g *Group, of life, r *shardreader.Reader, shard string, epoch int64) *lease {
	l := &lease{
		g: g, life: of, reader: r, shard: shard, epoch: epoch,
		tries: map[shardreader.Position]int{}, parked: map[shardreader.Position]string{},
	}
	l.work, l.lost = context.WithCancel(context.Background())
	l.read, l.stop = context.WithCancel(l.work)
	l.expiry = time.AfterFunc(g.o.Lease, l.lost)
	return l
}

// trust extends our own belief in the lease, counted from when the renewal was
// sent, by this machine's monotonic clock.
func (l *lease) trust(sent time.Time) {
	l.expiry.Reset(l.g.o.Lease - l.g.margin() - time.Since(sent))
}

func (l *lease) end() {
	l.expiry.Stop()
	l.lost()
}

func (l *lease) holding() holding {
	l.mu.Lock()
	defer l.mu.Unlock()
	return holding{shard: l.shard, epoch: l.epoch, tip: l.at.tip}
}

// run reads and processes until the shard is drained (nil), it is asked to
// stop, or the lease is lost. After any other failure it starts again from the
// checkpoint: whether a transaction whose answer was lost has committed, only
// the checkpoint knows.
func (l *lease) run() error {
	wait := 100 * time.Millisecond
	for {
		err := l.attempt(&wait)
		switch {
		case err == nil, errors.Is(err, ErrFenced), errors.Is(err, shardreader.ErrStreamChanged):
			return err
		case l.read.Err() != nil:
			return l.read.Err()
		}
		l.g.o.Log.Warn("a shard stands still; trying again", "shard", l.shard, "in", wait, "err", err)
		l.mu.Lock()
		l.failing = err
		l.mu.Unlock()
		if err := sleep(l.read, wait); err != nil {
			return err
		}
		wait = min(2*wait, l.g.o.Backoff)
	}
}

// attempt reads on from the checkpoint.
func (l *lease) attempt(wait *time.Duration) error {
	at, err := l.g.store.checkpoint(l.work, l.life.id, l.shard)
	if err != nil {
		return err
	}
	if at, err = l.overdue(at); err != nil {
		return err
	}
	l.mu.Lock()
	l.at = at
	l.mu.Unlock()
	start := shardreader.After(at.Position)
	if at.Sequence == "" && !l.life.startAt.IsZero() {
		start = shardreader.At(l.life.startAt)
	}
	p, drained := l.g.o.Processor(l.shard), false
	err = l.reader.Shard(l.read, l.shard, start, func(_ context.Context, b shardreader.Batch) error {
		// A batch that has begun is finished, as long as the lease is ours.
		err := l.handle(l.work, p, b)
		if err == nil {
			*wait = 100 * time.Millisecond
			drained = b.Closed
		}
		return err
	})
	switch {
	case errors.Is(err, shardreader.ErrShardGone):
		return l.gone()
	case err == nil && !drained:
		return l.read.Err() // Shard returns nil, too, once it was told to stop
	}
	return err
}

// handle applies one batch.
func (l *lease) handle(ctx context.Context, p Processor, b shardreader.Batch) error {
	if b.Trimmed {
		l.gap = l.missing(b)
	}
	if len(b.Records) > 0 || b.Closed {
		if err := l.apply(ctx, p, b); err != nil {
			return err
		}
	}
	l.g.records.Add(int64(len(b.Records)))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at.Position, l.behind, l.polled, l.failing = b.Next, b.Behind, b.AsOf, nil
	if n := len(b.Records); n > 0 {
		l.at.arrived = b.Records[n-1].Arrived
	}
	if b.Behind == 0 {
		l.at.tip = b.AsOf
	}
	return nil
}

// apply hands a batch to the processor, without the records that are to be
// parked; again where more of them turn out to be.
func (l *lease) apply(ctx context.Context, p Processor, b shardreader.Batch) error {
	for {
		good, dead := l.sort(b)
		committed := false
		commit := func(ctx context.Context, tx pgx.Tx) error {
			st := l.step(b.Next)
			st.records, st.closed, st.dead, st.gap = len(b.Records), b.Closed, dead, l.gap
			if n := len(b.Records); n > 0 {
				st.arrived = b.Records[n-1].Arrived
			}
			err := l.g.store.commit(ctx, tx, st)
			committed = err == nil
			return err
		}
		var err error
		if len(good.Records) > 0 {
			err = p.Process(ctx, good, commit)
		} else {
			err = pgx.BeginFunc(ctx, l.g.o.Pool, func(tx pgx.Tx) error { return commit(ctx, tx) }) // nothing left to process
		}
		switch {
		case err == nil && !committed:
			return fmt.Errorf("shardgroup: the processor of %s returned without a checkpoint", l.shard)
		case err == nil:
			clear(l.tries)
			clear(l.parked)
			l.gap = nil
			return nil
		case !l.blame(err):
			return err
		}
	}
}

// sort takes the records that are to be parked out of a batch.
func (l *lease) sort(b shardreader.Batch) (shardreader.Batch, []dead) {
	if len(l.parked) == 0 {
		return b, nil
	}
	good := b
	good.Records = nil
	var put []dead
	for _, r := range b.Records {
		if reason, ok := l.parked[r.Position]; ok {
			put = append(put, dead{Record: r, reason: reason})
		} else {
			good.Records = append(good.Records, r)
		}
	}
	return good, put
}

// blame marks the records that err names for parking, and says whether one was
// marked that was not before.
func (l *lease) blame(err error) bool {
	marked := false
	for _, e := range recordErrors(err) {
		l.tries[e.Position]++
		hopeless := l.g.o.Poison == Park && l.tries[e.Position] >= l.g.o.MaxTries
		if _, already := l.parked[e.Position]; already || !hopeless && !errors.Is(e, ErrUndecodable) {
			continue
		}
		l.parked[e.Position] = e.Err.Error()
		marked = true
		l.g.o.Log.Error("putting a record aside", "shard", l.shard, "sequence", e.Position.Sequence, "sub", e.Position.Sub, "err", e.Err)
	}
	return marked
}

// missing tells the gap before a batch whose predecessor is no longer kept. If
// the shard was seen empty after that, within retention, nothing is missing.
func (l *lease) missing(b shardreader.Batch) *gap {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.at.known()
	if len(b.Records) == 0 || l.at.tip.After(l.at.arrived) && known.After(b.AsOf.Add(-l.life.Retention)) {
		return nil
	}
	return &gap{from: known, to: b.Records[0].Arrived}
}

// overdue declares the gap of a checkpoint that is older than retention, before
// the tip is seen again and nobody could tell any more.
func (l *lease) overdue(at checkpoint) (checkpoint, error) {
	horizon := time.Now().Add(-l.life.Retention)
	if at.known().IsZero() || at.known().After(horizon) {
		return at, nil
	}
	st := l.step(at.Position)
	st.gap, st.tip = &gap{from: at.known(), to: horizon}, horizon
	at.tip = horizon
	return at, l.write(st)
}

func (l *lease) step(next shardreader.Position) step {
	return step{stream: l.life.id, worker: l.g.o.Worker, held: l.holding(), next: next}
}

// write commits a step that has no rows of a processor.
func (l *lease) write(st step) error {
	return pgx.BeginFunc(l.work, l.g.o.Pool, func(tx pgx.Tx) error { return l.g.store.commit(l.work, tx, st) })
}

// gone completes a shard that the stream no longer keeps.
func (l *lease) gone() error {
	l.mu.Lock()
	at := l.at
	l.mu.Unlock()
	st := l.step(at.Position)
	st.closed = true
	horizon := time.Now().Add(-l.life.Retention)
	from := at.known()
	if from.IsZero() {
		from = l.life.Created
	}
	if from.Before(horizon) {
		st.gap = &gap{from: from, to: horizon}
	}
	return l.write(st)
}
