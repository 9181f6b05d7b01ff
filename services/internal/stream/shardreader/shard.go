package shardreader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// Shard reads one shard from start until it is closed and drained (nil, after
// a batch with Closed), ctx ends (its error), handle fails (its error), or the
// stream is another one (ErrStreamChanged, ErrShardGone). Everything else it
// waits out.
func (r *Reader) Shard(ctx context.Context, shard string, start Start, handle Handler) error {
	s := &session{r: r, shard: shard, start: start, pace: newPace(r.o.PollEvery, r.o.CatchUpBytes), backoff: firstBackoff}
	if start.kind == fromPosition {
		s.next = start.after
		s.next.Shard = shard
	} else {
		s.next = Position{Shard: shard}
	}
	if start.kind == fromLatest {
		// Should the first iterator be lost before a record came, this is where
		// reading goes on.
		s.start.at = time.Now()
	}
	r.update(shard, func(st *ShardState) { *st = ShardState{Position: s.next} })
	for {
		b, wait, err := s.poll(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if wait, err = s.recover(ctx, err); err != nil {
				return err
			}
		} else {
			if len(b.Records) > 0 || b.Closed || r.o.Empty {
				if err := handle(ctx, b); err != nil {
					return err
				}
			}
			s.answered(b)
			if b.Closed {
				return nil
			}
			wait -= time.Since(b.AsOf)
		}
		if err := sleep(ctx, jitter(wait)); err != nil {
			return err
		}
	}
}

// session is the reading of one shard: the iterator and how it got there.
type session struct {
	r        *Reader
	shard    string
	start    Start
	next     Position
	iterator string
	at       bool // the iterator points at next's record, which was handled up to Sub
	checked  bool // the stream was compared since the last failure
	behind   bool
	pace     *pace
	backoff  time.Duration
}

// poll makes one call and gives its batch and the time until the next call.
func (s *session) poll(ctx context.Context) (Batch, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, s.r.o.CallTimeout)
	defer cancel()
	if !s.checked {
		if err := s.r.check(ctx); err != nil {
			return Batch{}, 0, err
		}
		s.checked = true
	}
	if s.iterator == "" {
		if err := s.newIterator(ctx); err != nil {
			return Batch{}, 0, err
		}
	}
	asOf := time.Now()
	out, err := s.r.o.Client.GetRecords(ctx, &kinesis.GetRecordsInput{
		ShardIterator: &s.iterator, Limit: &s.r.o.Limit,
	}, withoutRetries)
	if err != nil {
		return Batch{}, 0, fmt.Errorf("get records of %s: %w", s.shard, err)
	}
	b := s.batch(out)
	b.AsOf = asOf
	s.iterator = aws.ToString(out.NextShardIterator)
	n := 0
	for _, rec := range out.Records {
		n += len(rec.Data)
	}
	s.behind = b.Behind > 0
	return b, s.pace.ok(n, s.behind), nil
}

// withoutRetries lets a throttled call come back at once: the pace is ours.
func withoutRetries(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }

func (s *session) newIterator(ctx context.Context) error {
	in := &kinesis.GetShardIteratorInput{StreamName: &s.r.o.Stream, ShardId: &s.shard}
	s.at = false
	switch {
	case s.next.Sequence != "":
		in.ShardIteratorType, in.StartingSequenceNumber = types.ShardIteratorTypeAtSequenceNumber, &s.next.Sequence
		s.at = true
	case s.start.kind == fromTime:
		in.ShardIteratorType, in.Timestamp = types.ShardIteratorTypeAtTimestamp, &s.start.at
	case s.start.kind == fromLatest:
		in.ShardIteratorType = types.ShardIteratorTypeLatest
		s.start.kind = fromTime
	default:
		in.ShardIteratorType = types.ShardIteratorTypeTrimHorizon
	}
	out, err := s.r.o.Client.GetShardIterator(ctx, in)
	if err != nil {
		return fmt.Errorf("get iterator of %s: %w", s.shard, err)
	}
	s.iterator = aws.ToString(out.ShardIterator)
	return nil
}

// answered notes a batch that was handled.
func (s *session) answered(b Batch) {
	s.next, s.backoff = b.Next, firstBackoff
	s.r.update(s.shard, func(st *ShardState) {
		st.Position, st.Behind, st.PolledAt, st.Closed, st.Err = b.Next, b.Behind, b.AsOf, b.Closed, nil
		st.AtTip = st.AtTip || b.Behind == 0
	})
}

// recover decides what a failed call means: how long to wait, or the error
// that ends the reading.
func (s *session) recover(ctx context.Context, err error) (time.Duration, error) {
	var throughput *types.ProvisionedThroughputExceededException
	var limit *types.LimitExceededException
	var expired *types.ExpiredIteratorException
	if errors.As(err, &throughput) || errors.As(err, &limit) {
		s.r.update(s.shard, func(st *ShardState) { st.Throttled++ })
		return s.pace.throttled(s.behind), nil
	}
	s.r.update(s.shard, func(st *ShardState) { st.Err = err })
	if errors.Is(err, ErrStreamChanged) {
		return 0, err
	}
	// Whatever failed, the iterator may be of another stream by now: compare
	// before the next call.
	s.iterator, s.checked = "", false
	if errors.As(err, &expired) {
		return 0, nil
	}
	if s.r.gone(ctx, s.shard, err) {
		if err := s.r.check(ctx); errors.Is(err, ErrStreamChanged) {
			return 0, err
		}
		return 0, fmt.Errorf("%w: %s", ErrShardGone, s.shard)
	}
	s.r.o.Log.Warn("reading a shard fails; trying again", "stream", s.r.o.Stream, "shard", s.shard, "in", s.backoff, "err", err)
	wait := s.backoff
	s.backoff = min(s.backoff*2, lastBackoff)
	return wait, nil
}
