package points

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// Store is what a durable reader keeps, and how.
type Store interface {
	// Newest sets mark to the newest sequence that is stored of each of the
	// drivers. A driver of whom nothing is stored is left as it is.
	Newest(ctx context.Context, drivers []string, mark event.Mark) error
	// Apply writes what follows from the batch and calls commit in one
	// transaction, commit last. nil means that the transaction was committed.
	// After an error the batch comes again, perhaps cut otherwise.
	Apply(ctx context.Context, batch []Arrival, commit shardgroup.Commit) (Outcome, error)
}

// Leaser is a Store that has another for each lease of a shard, which may remember what
// it has written: nobody else applies points of the shard's drivers for as long as it is
// used, and it is not used any more after an error. It is not called concurrently.
type Leaser interface {
	Store
	ForLease(shard string) Store
}

// ForLease returns s's Store for a lease of a shard: s itself, if it is no Leaser.
func ForLease(s Store, shard string) Store {
	if l, ok := s.(Leaser); ok {
		return l.ForLease(shard)
	}
	return s
}

// Outcome counts the points of a batch that had no effect.
type Outcome struct {
	Repeated int // were stored before
	Skipped  int // do not rise: repeats, or out of order; or, in history, came too late to be kept
}

// GroupOptions configures a Group. All but CatchUpBytes and Worker are needed.
type GroupOptions struct {
	Name       string // of the service and of its consumer group
	Generation int    // a rebuild reads everything again under the next one
	Store      Store
	Pool       *pgxpool.Pool // of the database that has the Store's rows and the group's checkpoints
	Client     shardreader.Client
	Lease      time.Duration
	PollEvery  time.Duration
	// CatchUpBytes bounds what is read of one shard in a second; 0: all that a shard
	// serves, less where others read it too. See shardreader.Options.
	CatchUpBytes int
	Log          *slog.Logger
	Metrics      prometheus.Registerer // nil: none. One process has one Group in a registry
	Traces       trace.TracerProvider  // nil: it makes no spans

	Worker  string        // unique among the group's processes; empty: a new id
	Backoff time.Duration // the longest wait between two tries of a batch; see shardgroup.Options
}

// Group is one process of a durable reader. It is safe for concurrent use.
type Group struct {
	o     GroupOptions
	group *shardgroup.Group
	stats *stats
	seen  *recent
	// parked returns what of a shard was set aside that arrived since, and was not applied.
	parked func(ctx context.Context, shard string, since time.Time) ([]shardreader.Record, error)
}

// NewGroup returns a Group that reads nothing yet.
func NewGroup(o GroupOptions) (*Group, error) {
	// shardgroup has a default, and a reader that left out its profile's would go by it in
	// silence.
	if o.Backoff <= 0 {
		return nil, fmt.Errorf("%s: GroupOptions.Backoff is %v; it has to be more than 0", o.Name, o.Backoff)
	}
	if o.Worker == "" {
		o.Worker = shardgroup.WorkerID()
	}

	// A Group that was away catches up, and its latency shows it: so nothing is
	// left out of it.
	g := &Group{o: o, stats: newStats(time.Time{}), seen: newRecent()}
	g.parked = func(ctx context.Context, shard string, since time.Time) ([]shardreader.Record, error) {
		return shardgroup.ParkedSince(ctx, o.Pool, o.Name, o.Generation, shard, since)
	}
	metrics := newGroupMetrics()
	var err error
	g.group, err = shardgroup.New(shardgroup.Options{
		Client: o.Client, Stream: event.Stream, Pool: o.Pool,
		Name: o.Name, Generation: o.Generation, Worker: o.Worker, Processor: g.processor,
		Lease: o.Lease, PollEvery: o.PollEvery, CatchUpBytes: o.CatchUpBytes, Backoff: o.Backoff, Metrics: metrics, Log: o.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}

	if o.Metrics != nil {
		metrics.register(o.Metrics, g.group.Status)
	}
	return g, nil
}

// Run reads until ctx ends.
func (g *Group) Run(ctx context.Context) error { return g.group.Run(ctx) }

// Seen returns a driver's last points that this process applied, newest first.
func (g *Group) Seen(driver string) []Seen { return g.seen.last(driver) }

// Detail is the reader's part of GET /v1/status.
func (g *Group) Detail() Detail {
	d, status := g.stats.detail(g.o.Name), g.group.Status()
	d.Records, d.Parked, d.Gaps = status.Records, status.Parked, status.Gaps
	for _, s := range status.Shards {
		d.Shards = append(d.Shards, ShardDetail{
			Shard: s.Shard, Sequence: s.Sequence, BehindMS: knownMS(s.Behind, s.Known), HeardAt: unixMS(s.PolledAt),
			Worker: s.Worker, Error: errorText(s.Err), Drained: s.Drained, Paused: s.Paused,
		})
	}

	return d
}
