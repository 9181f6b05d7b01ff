package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"golang.org/x/sync/errgroup"

	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardreader"
)

const (
	// settle is how far clocks and the order of arrival stamps are allowed for: a shard is
	// read from so long before the span to so long after it, and the reader must have
	// passed the span by as much.
	settle = time.Second
	// stalledAfter is how long no shard may answer: a reader waits for ever for a stream
	// that was deleted meanwhile.
	stalledAfter = time.Minute
	// maxBytes is how fast a shard is read: it leaves the others, who are at the tip, their
	// share of the shard's 2 MB/s.
	maxBytes = 1 << 20
	sayEvery = 5 * time.Second
)

// Span is of arrivals: From is in it, To is not.
type Span struct{ From, To time.Time }

func (s Span) String() string { return s.From.Format(stamp) + " to " + s.To.Format(stamp) }

func (s Span) contains(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

const stamp = "2006-01-02T15:04:05.000Z07:00"

// source is the stream that is read again.
type source struct {
	reader *shardreader.Reader
	stream shardreader.Stream
	shards []shardreader.Shard
	out    io.Writer
	now    func() time.Time

	mu     sync.Mutex
	points int
	said   time.Time
}

func openSource(ctx context.Context, cfg Config) (*source, error) {
	client := cfg.client
	if client == nil {
		aws, err := awsclient.New(ctx, cfg.AWS)
		if err != nil {
			return nil, err
		}
		client = kinesis.NewFromConfig(aws)
	}

	s := &source{out: cfg.Out, now: time.Now}
	o := shardreader.Options{Client: client, Stream: event.Stream, PollEvery: 500 * time.Millisecond, CatchUpBytes: maxBytes, Empty: true, Log: cfg.Log}
	first, err := shardreader.New(o)
	if err != nil {
		return nil, err
	}
	if s.stream, err = first.Describe(ctx); err != nil {
		return nil, err
	}

	// Another stream of the same name is noticed from here on.
	o.Created = s.stream.Created
	if s.reader, err = shardreader.New(o); err != nil {
		return nil, err
	}

	// Once is enough: a shard that opens later has no record of a span which is over.
	s.shards, err = s.reader.Shards(ctx)
	return s, err
}

// check refuses a span that is not wholly in the stream, as far as its age tells.
func (s *source) check(span Span) error {
	horizon := s.now().Add(-s.stream.Retention)
	switch {
	case span.From.Before(s.stream.Created):
		return refuse("the span begins at %s, and the stream %s was created after that, at %s", span.From.Format(stamp), event.Stream, s.stream.Created.UTC().Format(stamp))
	case span.From.Before(horizon):
		return refuse("the span begins at %s, and the stream keeps what arrived since %s (%s); begin later", span.From.Format(stamp), horizon.UTC().Format(stamp), s.stream.Retention)
	}
	return nil
}

// errEnd ends the reading of a shard whose records of the span were all handed over.
var errEnd = errors.New("replay: the end of the span")

// read hands over the records of the span, a shard's in order and a child's after its
// parents', one batch at a time.
func (s *source) read(ctx context.Context, span Span, handle func(context.Context, []shardreader.Record) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	stalled := time.AfterFunc(stalledAfter, func() {
		end(fmt.Errorf("no shard of %s has answered for %s: is the stream still there?", event.Stream, stalledAfter))
	})
	defer stalled.Stop()

	err := shardreader.Each(ctx, s.shards, func(ctx context.Context, shard string) error {
		return s.shard(ctx, shard, span, func(ctx context.Context, records []shardreader.Record) error {
			stalled.Reset(stalledAfter)
			return handle(ctx, records)
		})
	})
	if err != nil {
		return fmt.Errorf("read the stream: %w", err)
	}
	return nil
}

func (s *source) shard(ctx context.Context, shard string, span Span, handle func(context.Context, []shardreader.Record) error) error {
	beyond := span.To.Add(settle)
	err := s.reader.Shard(ctx, shard, shardreader.At(span.From.Add(-settle)), func(ctx context.Context, b shardreader.Batch) error {
		s.mu.Lock()
		defer s.mu.Unlock()

		var in []shardreader.Record
		passed := b.Behind == 0 && !b.AsOf.Before(beyond)
		for _, r := range b.Records {
			if span.contains(r.Arrived) {
				in = append(in, r)
			}
			passed = passed || !r.Arrived.Before(beyond)
		}
		if err := handle(ctx, in); err != nil {
			return err
		}

		s.say(b, len(in))
		if passed {
			return errEnd
		}
		return nil
	})
	if errors.Is(err, errEnd) {
		return nil
	}
	return err
}

// say tells how far reading is, now and then; mu is held.
func (s *source) say(b shardreader.Batch, n int) {
	s.points += n
	now := s.now()
	if len(b.Records) == 0 || now.Sub(s.said) < sayEvery {
		return
	}
	if !s.said.IsZero() {
		_, _ = fmt.Fprintf(s.out, "%d points read; %s is at %s\n", s.points, b.Shard, b.Records[len(b.Records)-1].Arrived.UTC().Format(stamp))
	}
	s.said = now
}

// kept returns each shard with the arrival of its oldest record, or what is later than
// any where it has none. A stream may drop records before their time (the emulator's has a
// size), and nothing but what it still has tells. A child begins with its parents' end, and
// a shard that is not begun never had a record.
func (s *source) kept(ctx context.Context, begun map[string]bool) (map[string]time.Time, error) {
	listed := map[string]bool{}
	for _, sh := range s.shards {
		listed[sh.ID] = true
	}

	// The shards are asked beside each other: one that has dropped much is read for a while.
	g, reading := errgroup.WithContext(ctx)
	out, mu := map[string]time.Time{}, sync.Mutex{}
	set := func(shard string, oldest time.Time) {
		mu.Lock()
		defer mu.Unlock()
		out[shard] = oldest
	}
	for _, sh := range s.shards {
		if len(sh.Parents) > 0 && listed[sh.Parents[0]] || !begun[sh.ID] {
			set(sh.ID, time.Time{})
			continue
		}

		set(sh.ID, s.now())
		g.Go(func() error {
			err := s.reader.Shard(reading, sh.ID, shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
				if len(b.Records) > 0 {
					set(sh.ID, b.Records[0].Arrived)
				}
				if len(b.Records) > 0 || b.Behind == 0 {
					return errEnd
				}
				return nil
			})
			if err != nil && !errors.Is(err, errEnd) {
				return fmt.Errorf("the oldest record of %s: %w", sh.ID, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, ctx.Err()
}
