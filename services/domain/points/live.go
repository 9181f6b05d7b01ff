// Package points follows the stream for readers that care for where drivers are
// now: every shard, each driver's newest point once. A repeat, or a point that
// is older than one that was given, is left out, so what is shown never goes
// back in time. It keeps no checkpoint: a reader that starts anew begins at the
// tip, or a little before it.
//
// # Polling and fan-out
//
// Every replica of such a reader reads every shard. With LiveOptions.FanOut each
// leases one of the stream's consumers called <name>-1, <name>-2 and so on, and
// reads by enhanced fan-out for as long as it holds one: a point is applied as it
// arrives, and replicas take nothing of what the polling readers share. Which
// consumers there are is asked of the stream, not configured: one more in the
// template lets one more replica read so. Where none is free, the database is
// away or the lease is lost, the same shards are polled from the same place on
// (packages shardreader and shardgroup say how); being slower is all that it
// costs. Detail says which it is.
package points

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// LiveOptions configures a Live.
type LiveOptions struct {
	Name   string // the reader's
	Client shardreader.Client
	Stream string
	// Back is how long before now reading begins; 0: with what arrives next.
	Back      time.Duration
	PollEvery time.Duration
	Log       *slog.Logger
	// Apply takes a driver's newest point. It is called for one point at a time.
	Apply func(p event.Point, arrived time.Time)

	// FanOut and DatabaseURL, both set, let it read by fan-out. The database has
	// the leases of consumers (shardgroup's schema), each for Lease.
	FanOut      shardreader.FanOutClient
	DatabaseURL string
	Lease       time.Duration
}

// Live follows one stream. Run runs it; the rest is safe for concurrent use.
type Live struct {
	o      LiveOptions
	reader *shardreader.Reader
	name   *shardgroup.ConsumerLease // nil: polls
	stats  *Stats
	seen   *Recent
	began  time.Time

	mu      sync.Mutex // guards mark, records and parked, and orders Apply
	mark    event.Mark
	records int64
	parked  int64
}

// NewLive makes a Live.
func NewLive(o LiveOptions) *Live {
	f := &Live{o: o, stats: NewStats(), seen: NewRecent(), mark: event.NewMark(), began: time.Now()}
	read := shardreader.Options{Client: o.Client, Stream: o.Stream, PollEvery: o.PollEvery, Log: o.Log}
	if o.FanOut != nil && o.DatabaseURL != "" {
		f.name = f.lease()
		read.FanOut, read.Consumer = o.FanOut, f.name.Consumer
	}
	f.reader = shardreader.New(read)
	return f
}

// Run reads until ctx ends.
func (f *Live) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if f.name != nil {
		g.Go(func() error { return f.name.Run(ctx) })
	}
	g.Go(func() error { return f.read(ctx) })
	return g.Wait()
}

// read reads until ctx ends. A recreated stream is read from its beginning: its
// sequences go on from where the old one's were, since drivers count on.
func (f *Live) read(ctx context.Context) error {
	start := shardreader.Latest()
	if f.o.Back > 0 {
		start = shardreader.At(time.Now().Add(-f.o.Back))
	}
	for {
		err := f.reader.All(ctx, start, f.handle)
		if !errors.Is(err, shardreader.ErrStreamChanged) {
			return err // nil once ctx has ended
		}
		f.o.Log.Warn("the stream was recreated: reading it from its beginning", "stream", f.o.Stream)
		start = shardreader.Horizon()
	}
}

// handle applies one batch of one shard.
func (f *Live) handle(_ context.Context, b shardreader.Batch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	arrived, past, repeated := make([]time.Time, 0, len(b.Records)), 0, 0
	for _, r := range b.Records {
		f.records++
		p, err := event.DecodePoint(r.Data)
		if err != nil {
			f.parked++
			f.o.Log.Warn("a record is no point; it is left out", "shard", b.Shard, "sequence", r.Sequence, "err", err)
			continue
		}
		if !f.mark.Rises(p.Driver, p.Seq) {
			repeated++
			continue
		}
		f.o.Apply(p, r.Arrived)
		if r.Arrived.Before(f.began) {
			past++ // what it catches up with says nothing about how fast it is
		} else {
			arrived = append(arrived, r.Arrived)
		}
		f.seen.See(b.Shard, r.Sequence, p.Driver, p.Seq, r.Arrived, time.Now())
	}
	f.stats.Applied(arrived)
	f.stats.AppliedLate(past)
	f.stats.Repeated(repeated)
	return nil
}

// errBehind is why a reader is not ready.
var errBehind = errors.New("the reader has not caught up with the stream yet")

// Ready says whether the follower has been at the tip of every shard.
func (f *Live) Ready(context.Context) error {
	if f.reader.CaughtUp() {
		return nil
	}
	return errBehind
}

// Seen gives a driver's last points, newest first.
func (f *Live) Seen(driver string) []Seen { return f.seen.Last(driver) }

// Detail is the reader's part of GET /v1/status.
func (f *Live) Detail() Detail {
	d := f.stats.Detail(f.o.Name)
	f.mu.Lock()
	d.Records, d.Parked = f.records, f.parked
	f.mu.Unlock()
	shards := f.reader.State()
	d.Mode = f.mode(shards)
	for _, s := range shards {
		one := ShardDetail{Shard: s.Shard, Sequence: s.Sequence, BehindMS: s.Behind.Milliseconds(), Drained: s.Closed}
		if s.Err != nil {
			one.Error = s.Err.Error()
		}
		d.Shards = append(d.Shards, one)
	}
	return d
}
