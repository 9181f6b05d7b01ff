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
	// it returned.
	Open func(ctx context.Context) (*pgxpool.Pool, error)
	// List lists the stream's consumers: shardreader's Consumers.
	List   func(ctx context.Context) ([]shardreader.Consumer, error)
	Prefix string // consumers whose names begin so are shared; or the ARN of one
	Worker string // unique among all processes, also over restarts: WorkerID returns one

	Lease time.Duration // how long a lease lasts after it was renewed; 0 is 10 s
	Log   *slog.Logger  // nil: silent
}

// ConsumerLease holds one of the consumers that a reader's replicas share: a consumer
// has one subscription a shard, so two replicas can't use one. Run runs it;
// the rest is safe for concurrent use.
//
// The lease is a row of shardgroup.consumer_leases, renewed three times in its
// life. It expires by the database's clock; the process trusts it from when the
// renewal was sent, for the lease time less a fifth, by its own monotonic clock.
// So Consumer returns none before another can have it:
//
//   - The owner dies: its consumer is free after at most the lease time. A clean
//     end releases it at once.
//   - It is frozen: another acquires the consumer, and its subscription ends the
//     frozen one's (after 5 s, by Kinesis's rule). The frozen one wakes, finds the
//     lease past its trust, and polls. Frozen between asking for the consumer and
//     subscribing, it takes the shard from the new owner once, which subscribes
//     again; both read everything.
//   - The database is away: trust runs out and the reader polls until it is back.
//   - No consumer is free, none is registered or none is active: it is tried again
//     each lease time.
//   - The consumer was deleted: noticed when the consumers are listed again, once in
//     three lease times; until then the subscription is refused, so the reader polls.
//   - The consumers can't be listed: what is held is kept, and they are listed at
//     the next renewal.
type ConsumerLease struct {
	o      ConsumerLeaseOptions
	pool   *pgxpool.Pool // Run's
	listed time.Time     // Run's

	mu       sync.Mutex
	consumer shardreader.Consumer // that is held; the zero Consumer: none
	until    time.Time            // it is trusted
	held     context.Context      // ends when it may not be used any more
	distrust context.CancelFunc   // ends held
	expiry   *time.Timer          // calls distrust
	why      error                // why none is held, or could not be renewed
}

// NoConsumer is why no consumer is held, in words for people. Where something
// failed on the way, Held returns that error instead.
type NoConsumer string

// Error returns the reason.
func (e NoConsumer) Error() string { return string(e) }

// Why no consumer is held.
const (
	errNotAsked  NoConsumer = "no consumer was asked for yet"
	errTaken     NoConsumer = "another process has the consumer"
	errNotActive NoConsumer = "the consumer is no longer registered or active"
	errRanOut    NoConsumer = "the lease was not renewed in time"
)

// NewConsumerLease returns a ConsumerLease that holds nothing yet. The error names
// the option that is wrong.
func NewConsumerLease(o ConsumerLeaseOptions) (*ConsumerLease, error) {
	switch {
	case o.Open == nil || o.List == nil:
		return nil, errors.New("shardgroup: Open and List are needed")
	case o.Prefix == "" || o.Worker == "":
		return nil, errors.New("shardgroup: Prefix and Worker are needed")
	case o.Lease < 0:
		return nil, wrong("ConsumerLeaseOptions.Lease", o.Lease)
	}

	if o.Lease == 0 {
		o.Lease = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &ConsumerLease{o: o, why: errNotAsked}, nil
}

// Consumer is a reader's Options.Consumer: the consumer's ARN and a context that
// ends when it may not be used any more; none while none is held.
func (l *ConsumerLease) Consumer() (held context.Context, arn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The clock, not the timer alone: a process that was frozen may come here first.
	if l.consumer.ARN == "" || l.held.Err() != nil || !time.Now().Before(l.until) {
		return nil, ""
	}
	return l.held, l.consumer.ARN
}

// Held returns the name of the consumer that is held, or why none is.
func (l *ConsumerLease) Held() (consumer string, why error) {
	_, arn := l.Consumer()
	l.mu.Lock()
	defer l.mu.Unlock()
	if arn == "" {
		return "", cmp.Or(l.why, error(errRanOut))
	}
	return l.consumer.Name, nil
}

// Run acquires a consumer and keeps it until ctx ends; then it releases the
// consumer and returns nil.
func (l *ConsumerLease) Run(ctx context.Context) error {
	defer l.end()
	for {
		wait := l.o.Lease / 3
		err := l.tick(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopped, as asked
		}

		// With nothing to renew there is no hurry: another's lease lasts as long.
		if consumer := l.note(err); consumer == "" && err != nil && l.pool != nil {
			wait = l.o.Lease
		}

		if sleep(ctx, wait) != nil {
			return nil
		}
	}
}

// note logs what changed and returns the name of the consumer that is held.
func (l *ConsumerLease) note(err error) string {
	consumer, _ := l.Held()
	l.mu.Lock()
	defer l.mu.Unlock()

	before := l.why
	l.why = err
	switch {
	case err == nil && before != nil:
		l.o.Log.Info("reading by fan-out", "consumer", consumer)
	case err != nil && (before == nil || before.Error() != err.Error()):
		l.o.Log.Warn("no lease of a fan-out consumer could be acquired or renewed; trying again", "consumer", consumer, "err", err)
	}
	return consumer
}
