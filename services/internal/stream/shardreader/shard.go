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
	s := &session{
		r: r, shard: shard, start: start, handle: handle, next: Position{Shard: shard},
		pace: newPace(r.o.PollEvery, r.o.CatchUpBytes), backoff: firstBackoff,
	}
	if start.kind == fromPosition {
		s.next = start.after
		s.next.Shard = shard
	}
	if start.kind == fromLatest {
		// Should the first iterator be lost before a record came, this is where
		// reading goes on.
		s.start.at = time.Now()
	}
	r.update(shard, func(st *ShardState) { *st = ShardState{Position: s.next} })
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
		if err := sleep(ctx, jitter(wait)); err != nil {
			return err
		}
	}
}

// session is the reading of one shard: the iterator and how it got there.
type session struct {
	r       *Reader
	shard   string
	start   Start
	handle  Handler
	next    Position
	at      bool // what is read next begins with next's record, which was handled up to Sub
	checked bool // the stream was compared since the last failure
	backoff time.Duration

	// Polling.
	iterator string
	behind   bool
	pace     *pace

	// Fan-out.
	after       string        // the continuation of what was handed over last
	subscribeAt time.Time     // no sooner
	refused     time.Duration // how long to poll after subscriptions that brought nothing
}

// turn is one poll, or one whole subscription. ended says that reading has:
// err, or drained. Else it gives the time to wait until the next turn.
func (s *session) turn(ctx context.Context) (ended bool, wait time.Duration, err error) {
	if held, arn := s.consumer(); arn != "" {
		ended, err = s.subscription(ctx, held, arn)
		if s.refused > 0 {
			s.subscribeAt = time.Now().Add(s.refused)
		}
		return ended, 0, err
	}
	s.after = "" // documented for subscriptions alone
	b, wait, err := s.poll(ctx)
	if err != nil {
		return false, 0, err
	}
	ended, err = s.hand(ctx, b, b.AsOf, false)
	return ended, wait - time.Since(b.AsOf), err
}

// hand hands a batch over and notes it.
func (s *session) hand(ctx context.Context, b Batch, answered time.Time, fanOut bool) (ended bool, err error) {
	if len(b.Records) > 0 || b.Closed || s.r.o.Empty {
		if err := s.handle(ctx, b); err != nil {
			return true, err
		}
	}
	s.next, s.backoff = b.Next, firstBackoff
	s.r.update(s.shard, func(st *ShardState) {
		st.Position, st.Behind, st.PolledAt, st.FanOut, st.Closed, st.Err = b.Next, b.Behind, answered, fanOut, b.Closed, nil
		st.AtTip = st.AtTip || b.Behind == 0
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

// poll makes one call and gives its batch and the time until the next call.
func (s *session) poll(ctx context.Context) (Batch, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, s.r.o.CallTimeout)
	defer cancel()
	if err := s.compare(ctx); err != nil {
		return Batch{}, 0, err
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
	b := s.batch(out.Records, out.MillisBehindLatest)
	b.AsOf, b.Closed = asOf, out.NextShardIterator == nil
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

// from says where reading goes on, or begins.
func (s *session) from() types.StartingPosition {
	s.at = false
	switch {
	case s.after != "":
		return types.StartingPosition{Type: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: aws.String(s.after)}
	case s.next.Sequence != "":
		s.at = true
		return types.StartingPosition{Type: types.ShardIteratorTypeAtSequenceNumber, SequenceNumber: aws.String(s.next.Sequence)}
	case s.start.kind == fromTime:
		return types.StartingPosition{Type: types.ShardIteratorTypeAtTimestamp, Timestamp: aws.Time(s.start.at)}
	case s.start.kind == fromLatest:
		s.start.kind = fromTime
		return types.StartingPosition{Type: types.ShardIteratorTypeLatest}
	}
	return types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon}
}

func (s *session) newIterator(ctx context.Context) error {
	from := s.from()
	out, err := s.r.o.Client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &s.r.o.Stream, ShardId: &s.shard,
		ShardIteratorType: from.Type, StartingSequenceNumber: from.SequenceNumber, Timestamp: from.Timestamp,
	})
	if err != nil {
		return fmt.Errorf("get iterator of %s: %w", s.shard, err)
	}
	s.iterator = aws.ToString(out.ShardIterator)
	return nil
}

// recover decides what a failed call means: how long to wait, or the error
// that ends the reading.
func (s *session) recover(ctx context.Context, err error) (time.Duration, error) {
	var throughput *types.ProvisionedThroughputExceededException
	var limit *types.LimitExceededException
	var expired *types.ExpiredIteratorException
	var taken *types.ResourceInUseException
	if errors.As(err, &taken) { // subscribed less than 5 s ago, or taken over: poll meanwhile
		return 0, nil
	}
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
	s.iterator, s.after, s.checked = "", "", false
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
