package shardgroup

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardreader"
)

// ConsumerLeaseOptions of a ConsumerLease. Open, List, Prefix and Worker are needed.
type ConsumerLeaseOptions struct {
	// Open opens the database. It is called until it succeeds; Run closes what
	// it gave.
	Open func(ctx context.Context) (*pgxpool.Pool, error)
	// List lists the stream's consumers: shardreader's Consumers.
	List   func(ctx context.Context) ([]shardreader.Consumer, error)
	Prefix string // consumers whose names begin so are shared
	Worker string // unique among all processes, also over restarts: WorkerID gives one

	Lease time.Duration // 0 is 10 s
	Log   *slog.Logger  // nil: slog.Default()
}

// ConsumerLease holds one of the consumers that a reader's replicas share: a consumer
// has one subscription a shard, so two replicas can't use one. Run runs it;
// the rest is safe for concurrent use.
//
// The lease is a row of shardgroup.consumer_leases, renewed three times in its
// life. It expires by the database's clock; the process trusts it from when the
// renewal was sent, for the lease time less a fifth, by its own monotonic clock.
// So Consumer gives none before another can have it:
//
//   - The holder dies: its name is free after at most the lease time. A clean end
//     gives it back at once.
//   - It is frozen: another takes the name, and its subscription ends the frozen
//     one's (after 5 s, by Kinesis's rule). The frozen one wakes, finds the lease
//     past its trust, and polls. Frozen between asking for the consumer and
//     subscribing, it takes the shard from the new holder once, which subscribes
//     again; both read everything.
//   - The database is away: trust runs out and the reader polls until it is back.
//   - No name is free, none is registered or none is active: it is tried again
//     each lease time.
//   - The consumer was deleted: noticed when the consumers are listed again, every
//     third lease time; until then the subscription is refused, so the reader polls.
//   - The consumers can't be listed: what is held is kept, and they are listed at
//     the next renewal.
type ConsumerLease struct {
	o      ConsumerLeaseOptions
	pool   *pgxpool.Pool // Run's
	listed time.Time     // Run's

	mu    sync.Mutex
	name  string // that is held; empty: none
	arn   string
	until time.Time // it is trusted
	held  context.Context
	lost  context.CancelFunc
	timer *time.Timer
	why   error // why none is held, or could not be renewed
}

// Why no consumer is held.
var (
	errNotAsked  = errors.New("no consumer was asked for yet")
	errTaken     = errors.New("another process has the consumer")
	errNotActive = errors.New("the consumer is no longer registered or active")
	errRanOut    = errors.New("the lease was not renewed in time")
)

// NewConsumerLease makes a ConsumerLease that holds nothing yet.
func NewConsumerLease(o ConsumerLeaseOptions) *ConsumerLease {
	if o.Lease == 0 {
		o.Lease = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &ConsumerLease{o: o, why: errNotAsked}
}

// Consumer is a reader's Options.Consumer: the consumer's ARN and a context that
// ends when it may not be used any more; none while none is held.
func (l *ConsumerLease) Consumer() (held context.Context, arn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The clock, not the timer alone: a process that was frozen may come here first.
	if l.name == "" || l.held.Err() != nil || !time.Now().Before(l.until) {
		return nil, ""
	}
	return l.held, l.arn
}

// Held gives the name that is held, or why none is.
func (l *ConsumerLease) Held() (name string, why error) {
	_, arn := l.Consumer()
	l.mu.Lock()
	defer l.mu.Unlock()
	if arn == "" {
		return "", cmp.Or(l.why, errRanOut)
	}
	return l.name, nil
}

// Run takes a name and keeps it until ctx ends, then gives it back.
func (l *ConsumerLease) Run(ctx context.Context) error {
	defer l.end()
	for {
		wait := l.o.Lease / 3
		err := l.tick(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a clean end
		}
		if name := l.note(err); name == "" && err != nil && l.pool != nil {
			wait = l.o.Lease
		}
		if sleep(ctx, wait) != nil {
			return nil
		}
	}
}

// note logs what changed and gives the name that is held.
func (l *ConsumerLease) note(err error) string {
	name, _ := l.Held()
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.why
	l.why = err
	switch {
	case err == nil && before != nil:
		l.o.Log.Info("reading by fan-out", "consumer", name)
	case err != nil && (before == nil || before.Error() != err.Error()):
		l.o.Log.Warn("a fan-out consumer is not to be had; trying again", "held", name, "err", err)
	}
	return name
}
