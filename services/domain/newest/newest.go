// Package newest follows the stream for readers that care for where drivers are
// now: every shard, each driver's newest point once. A repeat, or a point that
// is older than one that was given, is left out, so what is shown never goes
// back in time. It keeps no checkpoint: a reader that starts anew begins at the
// tip, or a little before it.
package newest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/readstat"
	"tandem/services/internal/stream/recent"
	"tandem/services/internal/stream/shardreader"
)

// Options configures a Follower.
type Options struct {
	Name   string // the reader's
	Client shardreader.Client
	Stream string
	// Back is how long before now reading begins; 0: with what arrives next.
	Back      time.Duration
	PollEvery time.Duration
	Log       *slog.Logger
	// Apply takes a driver's newest point. It is called for one point at a time.
	Apply func(p event.Point, arrived time.Time)
}

// Follower follows one stream. Run runs it; the rest is safe for concurrent use.
type Follower struct {
	o      Options
	reader *shardreader.Reader
	stats  *readstat.Stats
	seen   *recent.Tracker

	mu      sync.Mutex // guards mark, records and parked, and orders Apply
	mark    event.Mark
	records int64
	parked  int64
}

// New makes a Follower.
func New(o Options) *Follower {
	return &Follower{
		o: o, stats: readstat.New(), seen: recent.New(), mark: event.NewMark(),
		reader: shardreader.New(shardreader.Options{Client: o.Client, Stream: o.Stream, PollEvery: o.PollEvery, Log: o.Log}),
	}
}

// Run reads until ctx ends. A stream made anew is read from its beginning: its
// sequences go on from where the old one's were, since drivers count on.
func (f *Follower) Run(ctx context.Context) error {
	start := shardreader.Latest()
	if f.o.Back > 0 {
		start = shardreader.At(time.Now().Add(-f.o.Back))
	}
	for {
		err := f.reader.All(ctx, start, f.handle)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // a clean end
		case errors.Is(err, shardreader.ErrStreamChanged):
			f.o.Log.Warn("the stream was made anew: reading it from its beginning", "stream", f.o.Stream)
			start = shardreader.Horizon()
		default:
			return err
		}
	}
}

// handle applies one batch of one shard.
func (f *Follower) handle(_ context.Context, b shardreader.Batch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	arrived, repeated := make([]time.Time, 0, len(b.Records)), 0
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
		arrived = append(arrived, r.Arrived)
		f.seen.See(b.Shard, r.Sequence, p.Driver, p.Seq, r.Arrived, time.Now())
	}
	f.stats.Applied(arrived)
	f.stats.Repeated(repeated)
	return nil
}

// errBehind is why a reader is not ready.
var errBehind = errors.New("the reader has not caught up with the stream yet")

// Ready says whether the follower has been at the tip of every shard.
func (f *Follower) Ready(context.Context) error {
	if f.reader.CaughtUp() {
		return nil
	}
	return errBehind
}

// Seen gives a driver's last points, newest first.
func (f *Follower) Seen(driver string) []recent.Seen { return f.seen.Last(driver) }

// Detail is the reader's part of GET /v1/status.
func (f *Follower) Detail() readstat.Detail {
	d := f.stats.Detail(f.o.Name)
	f.mu.Lock()
	d.Records, d.Parked = f.records, f.parked
	f.mu.Unlock()
	for _, s := range f.reader.State() {
		one := readstat.Shard{Shard: s.Shard, Sequence: s.Sequence, BehindMS: s.Behind.Milliseconds(), Drained: s.Closed}
		if s.Err != nil {
			one.Error = s.Err.Error()
		}
		d.Shards = append(d.Shards, one)
	}
	return d
}
