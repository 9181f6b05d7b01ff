package shardreader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/stream/kpl"
)

const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// Shard reads one shard from start until it is drained, which handle sees by a
// batch with Closed, to the end that start may have (Until, Through), or until ctx
// has ended; then it returns nil. It returns handle's error where that fails, and
// ErrStreamChanged or ErrShardGone where the stream is another one. Everything else it
// waits out.
func (r *Reader) Shard(ctx context.Context, shard string, start Start, handle Handler) error {
	if err := start.check(); err != nil {
		return err
	}
	err := r.drain(ctx, shard, start, handle)
	if errors.Is(err, errEnded) {
		return nil
	}
	return unlessEnded(ctx, err)
}

// drain reads one shard to its end. It returns nil only when the shard is
// drained, and errEnded where the end that start sets came first; once ctx has ended it
// returns an error as any other.
func (r *Reader) drain(ctx context.Context, shard string, start Start, handle Handler) error {
	kind, next := start.of(shard)
	if !start.wants(shard) {
		return errEnded
	}
	s := &session{
		r: r, shard: shard, start: start, kind: kind, startAt: start.at, handle: handle, next: next,
		pace: newPace(r.o.PollEvery, r.o.CatchUpBytes), backoff: firstBackoff,
		size: newSize(r.o.Limit, r.o.CallTimeout), each: firstEach,
	}
	if kind == fromLatest {
		// If the first iterator expires before a record has come, reading goes on
		// from this time.
		s.startAt = time.Now()
	}
	r.update(shard, func(st *ShardState) { *st = ShardState{Position: s.next, began: time.Now()} })

	for {
		ended, wait, err := s.turn(ctx)
		switch {
		case ended:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if wait, err = s.recover(ctx, err); err != nil {
				return err
			}
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// session is the reading of one shard: the iterator or subscription, and what
// it goes on from.
type session struct {
	r        *Reader
	shard    string
	start    Start     // its end counts
	kind     startKind // where to begin while next is empty
	startAt  time.Time
	handle   Handler
	next     Position
	resuming bool // what is read next begins with next's record, which was handled up to Sub
	checked  bool // the stream was compared since the last failure
	backoff  time.Duration
	within   *kpl.Range // of the shard's hash keys; nil: all user records are handed over

	// Polling.
	iterator string
	behind   bool
	pace     *pace
	size     size
	each     float64 // bytes of a record, on the average of the last answer

	// Fan-out.
	continuation string        // the last event's, while nothing has failed since
	subscribeAt  time.Time     // no sooner
	pollFor      time.Duration // how long to poll after subscriptions that brought nothing
}

// turn is one poll, or one whole subscription. ended reports that reading has
// ended: with err, or drained. Else wait is the time until the next turn.
func (s *session) turn(ctx context.Context) (ended bool, wait time.Duration, err error) {
	if err := s.learnRange(ctx); err != nil {
		return false, 0, err
	}
	if held, arn := s.consumer(); arn != "" {
		ended, err = s.subscription(ctx, held, arn)
		if s.pollFor > 0 {
			s.subscribeAt = time.Now().Add(s.pollFor)
		}
		return ended, 0, err
	}

	s.continuation = "" // documented for subscriptions alone
	b, wait, err := s.poll(ctx)
	if err != nil {
		return false, 0, err
	}
	ended, err = s.handOver(ctx, b, b.AsOf, false)

	// The wait counts from the call, so the time that the handler took is part of it.
	return ended, wait - time.Since(b.AsOf), err
}

// handOver hands over what an answer or an event brought, in as many batches as MaxRecords
// asks for. ended reports that reading has ended: with an error, or drained.
func (s *session) handOver(ctx context.Context, b Batch, answered time.Time, fanOut bool) (ended bool, err error) {
	b, last := s.cut(b)
	s.r.update(s.shard, func(st *ShardState) {
		st.Waiting, st.counted = len(b.Records), time.Time{}
		if b.Behind == 0 {
			st.counted = answered // only at the tip nothing else waits in the stream
		}
	})

	for i, piece := range s.pieces(b) {
		// Between batches only: what was handed over whole counts also for who stops then.
		if i > 0 && ctx.Err() != nil {
			return true, ctx.Err()
		}
		if ended, err := s.handOne(ctx, piece, answered, fanOut); ended {
			return true, err
		}
	}

	if last {
		s.r.update(s.shard, func(st *ShardState) { st.Ended = true })
		return true, errEnded
	}
	return false, nil
}

// handOne calls the handler with a batch and moves the position to its end. ended
// reports that reading has ended: with the handler's error, or drained.
func (s *session) handOne(ctx context.Context, b Batch, answered time.Time, fanOut bool) (ended bool, err error) {
	//excerpt:handover
	if len(b.Records) > 0 || b.Closed || s.r.o.Empty {
		if err := s.handle(ctx, b); err != nil {
			return true, err
		}
	}

	// Only now: a batch that the handler refused must be read again.
	s.next, s.backoff = b.Next, firstBackoff
	//excerpt:end
	s.r.update(s.shard, func(st *ShardState) {
		st.Position, st.Behind, st.PolledAt, st.FanOut, st.Closed, st.Err = b.Next, b.Behind, answered, fanOut, b.Closed, nil
		st.AtTip = st.AtTip || b.Behind == 0
		st.Waiting -= len(b.Records)
	})
	return b.Closed, nil
}

// compare looks once after each failure whether the stream is still the same.
func (s *session) compare(ctx context.Context) error {
	if s.checked {
		return nil
	}
	err := s.r.check(ctx)
	s.checked = err == nil
	return err
}

// recover decides what a failed turn means: how long to wait, or the error that
// ends the reading.
func (s *session) recover(ctx context.Context, err error) (time.Duration, error) {
	var throughput *types.ProvisionedThroughputExceededException
	var limit *types.LimitExceededException
	var expired *types.ExpiredIteratorException
	var inUse *types.ResourceInUseException

	// Subscribed less than 5 s ago, or taken over: nothing is broken, poll meanwhile.
	if errors.As(err, &inUse) {
		return 0, nil
	}

	// Throttling is the shard's answer to all its readers together: the iterator
	// stays good, and only the pace changes. Of the account's limit on comparing streams
	// that is not true.
	comparing := errors.Is(err, errComparing)
	if !comparing && (errors.As(err, &throughput) || errors.As(err, &limit)) {
		s.r.update(s.shard, func(st *ShardState) { st.Throttled++ })
		return s.pace.throttled(s.behind), nil
	}

	s.r.update(s.shard, func(st *ShardState) { st.Err = err })
	if errors.Is(err, ErrStreamChanged) {
		return 0, err
	}

	// Whatever failed, the iterator may be of another stream by now: compare
	// before the next call.
	s.iterator, s.continuation, s.checked = "", "", false
	if errors.As(err, &expired) {
		return 0, nil
	}

	// A recreated stream may lack the shard too, and then that is what counts.
	if s.r.gone(ctx, s.shard, err) {
		if err := s.r.check(ctx); errors.Is(err, ErrStreamChanged) {
			return 0, err
		}
		return 0, fmt.Errorf("%w: %s", ErrShardGone, s.shard)
	}

	s.r.o.Log.Warn("reading a shard fails; trying again", "stream", s.r.o.Stream, "shard", s.shard, "in", s.backoff, "err", err)
	wait := jitter(s.backoff)
	s.backoff = min(s.backoff*2, lastBackoff)
	return wait, nil
}

// pieces returns b in parts of no more than MaxRecords user records.
func (s *session) pieces(b Batch) []Batch {
	most := s.r.o.MaxRecords
	if most == 0 || len(b.Records) <= most {
		return []Batch{b}
	}

	var out []Batch
	for rest := b.Records; len(rest) > most; rest = rest[most:] {
		part := b
		part.Records, part.Next, part.Closed = rest[:most:most], rest[most-1].Position, false
		// Not at the tip: the rest is known to follow.
		part.Behind = max(b.Behind, b.AsOf.Sub(rest[most-1].Arrived), time.Millisecond)
		part.Trimmed = b.Trimmed && len(out) == 0
		out = append(out, part)
	}

	b.Records, b.Trimmed = b.Records[len(out)*most:], false
	return append(out, b)
}
