package points

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// LiveOptions configures a Live.
type LiveOptions struct {
	Name   string // the reader's
	Client shardreader.Client
	// Back is how long before now reading begins; 0: with what arrives next.
	Back      time.Duration
	PollEvery time.Duration
	Log       *slog.Logger
	Traces    trace.TracerProvider // nil: it makes no spans
	// Apply takes a driver's newest point. It is called for one point at a time.
	Apply func(p event.Point, arrived time.Time)

	// FanOut and DatabaseURL, both set, let it read by fan-out. The database has
	// the leases of consumers (shardgroup's schema), each for Lease.
	FanOut      shardreader.FanOutClient
	DatabaseURL string
	Lease       time.Duration
}

// Live is one process of a reader that knows where drivers are now. Run reads;
// the rest is safe for concurrent use.
type Live struct {
	o      LiveOptions
	reader *shardreader.Reader
	lease  *shardgroup.ConsumerLease // nil: it polls
	stats  *stats
	seen   *recent
	// arrived counts every point that was read, a repeat too: it arrived as well.
	arrived *binned

	mu      sync.Mutex // guards marks, records and parked, and orders Apply
	marks   marks
	records int64
	parked  int64
}

// NewLive returns a Live that reads nothing yet.
func NewLive(o LiveOptions) (*Live, error) {
	// What it catches up with at its start says nothing about how fast it is: the
	// latency is of what arrives from now on.
	l := &Live{o: o, stats: newStats(time.Now()), seen: newRecent(), arrived: newBinned(), marks: newMarks()}

	read := shardreader.Options{Client: o.Client, Stream: event.Stream, PollEvery: o.PollEvery, Log: o.Log}
	if o.FanOut != nil && o.DatabaseURL != "" {
		var err error
		if l.lease, err = l.newLease(); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
		read.FanOut, read.Consumer = o.FanOut, l.lease.Consumer
	}

	var err error
	if l.reader, err = shardreader.New(read); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	return l, nil
}

// Run reads until ctx ends.
func (l *Live) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if l.lease != nil {
		g.Go(func() error { return l.lease.Run(ctx) })
	}
	g.Go(func() error { return l.read(ctx) })
	return g.Wait()
}

func (l *Live) read(ctx context.Context) error {
	start := shardreader.Latest()
	if l.o.Back > 0 {
		start = shardreader.At(time.Now().Add(-l.o.Back))
	}

	for {
		err := l.reader.All(ctx, start, l.handle)
		if !errors.Is(err, shardreader.ErrStreamChanged) {
			return err // nil once ctx has ended
		}

		// From its beginning, or points put before this moment would be missed. The
		// marks stay: drivers go on counting, so their sequences still rise.
		l.o.Log.Warn("the stream was recreated: reading it from its beginning", "stream", event.Stream)
		start = shardreader.Horizon()
	}
}

// handle applies one batch of one shard.
func (l *Live) handle(_ context.Context, b shardreader.Batch) error {
	// Shards are read at the same time. The mark is checked and the point applied
	// under one lock, so no older point follows a newer one, whichever shards they
	// come from.
	l.mu.Lock()
	defer l.mu.Unlock()

	applied := make([]Arrival, 0, len(b.Records))
	repeated := 0
	for _, r := range b.Records {
		l.records++
		a, err := decode(b.Shard, r)
		if err != nil {
			// One bad record must not stop the map.
			l.parked++
			l.o.Log.Warn("a record is no point; it is left out", "shard", b.Shard, "sequence", r.Sequence, "err", err)
			continue
		}
		l.arrived.note(a.Shard, a.Driver, a.Arrived)
		if !l.marks.rises(a.Driver, a.Seq) {
			repeated++
			continue
		}

		l.o.Apply(a.Point, a.Arrived)
		now := time.Now()
		l.seen.see(a, now)
		traced(l.o.Traces, a, now)
		applied = append(applied, a)
	}

	l.stats.applied(len(applied), applied, Outcome{Repeated: repeated})
	return nil
}

// errBehind is why a reader is not ready.
var errBehind = errors.New("the reader has not caught up with the stream yet")

// Ready returns nil once the tip of every shard has been reached.
func (l *Live) Ready(context.Context) error {
	if l.reader.CaughtUp() {
		return nil
	}
	return errBehind
}

// Behind returns how far what was applied may be behind the stream: by what
// arrived since the slowest shard is known to have been read. known is false until every shard
// has been read from, and while one fails.
func (l *Live) Behind() (d time.Duration, known bool) {
	return behind(l.reader.State(), time.Now())
}

func behind(shards []shardreader.ShardState, now time.Time) (d time.Duration, known bool) {
	for _, s := range shards {
		if s.Closed {
			continue
		}
		if s.Err != nil || s.PolledAt.IsZero() {
			return 0, false
		}
		d, known = max(d, now.Sub(s.Through)), true
	}
	return d, known
}

// Through returns the times until which what arrived is known to have been read: on every
// shard, zero where one has not been read yet, and on some shard, zero where none has.
func (l *Live) Through() (every, some time.Time) { return through(l.reader.State()) }

func through(shards []shardreader.ShardState) (every, some time.Time) {
	first := true
	for _, s := range shards {
		if s.Closed {
			continue
		}

		read := s.Through
		if s.PolledAt.IsZero() {
			read = time.Time{}
		}
		if first || read.Before(every) {
			every = read
		}
		if read.After(some) {
			some = read
		}
		first = false
	}
	return every, some
}

// Seen returns a driver's last points that this process applied, newest first.
func (l *Live) Seen(driver string) []Seen { return l.seen.last(driver) }

// Detail is the reader's part of GET /v1/status.
func (l *Live) Detail() Detail {
	d := l.stats.detail(l.o.Name)
	l.mu.Lock()
	d.Records, d.Parked = l.records, l.parked
	l.mu.Unlock()

	shards := l.reader.State()
	d.Mode = l.mode(shards)
	for _, s := range shards {
		d.Shards = append(d.Shards, ShardDetail{
			Shard: s.Shard, Sequence: s.Sequence, BehindMS: knownMS(s.Behind, !s.PolledAt.IsZero()), HeardAt: unixMS(s.PolledAt),
			Error: errorText(s.Err), Drained: s.Closed,
		})
	}

	return d
}
