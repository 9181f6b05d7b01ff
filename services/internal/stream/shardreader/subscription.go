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
	// subscribeEvery is how often a consumer may subscribe to a shard
	// (docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html).
	subscribeEvery = time.Second
	// lastPollFor is the longest time for which a shard is polled because a
	// subscription was refused.
	lastPollFor = 30 * time.Second
	// silentFor is when a subscription counts as broken: Kinesis sends events
	// without records while there is nothing to send.
	silentFor = 30 * time.Second
)

// Errors that end a subscription, not the reading.
var (
	errNoAnswer = errors.New("no answer in time")
	errSilent   = errors.New("the subscription has been silent")
)

// consumer returns what to subscribe with now; no ARN: poll.
func (s *session) consumer() (held context.Context, arn string) {
	if s.r.o.FanOut == nil || s.r.o.Consumer == nil || time.Now().Before(s.subscribeAt) {
		return nil, ""
	}
	return s.r.o.Consumer()
}

// subscription subscribes and hands over events until the subscription ends,
// which is no error, until it fails, or until the consumer is not held any more.
func (s *session) subscription(ctx, held context.Context, arn string) (ended bool, err error) {
	// The subscription lives as long as both: ctx, which ends reading, and held,
	// which ends our right to the consumer.
	sctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(held, func() { cancel(context.Canceled) })()

	// Until an event has come this counts as refused: poll for longer each time.
	asked := time.Now()
	asOf := asked
	s.pollFor = min(max(2*s.pollFor, subscribeEvery), lastPollFor)
	sub, err := s.subscribe(sctx, cancel, arn)
	if err != nil {
		return false, unlessEnded(held, fmt.Errorf("subscribe to %s: %w", s.shard, err))
	}
	defer func() { _ = sub.Close() }() // what it failed with, Err has said

	silent := time.NewTimer(silentFor)
	defer silent.Stop()
	for {
		select {
		case <-sctx.Done():
			return false, nil
		case <-silent.C:
			return false, fmt.Errorf("subscription to %s: %w", s.shard, errSilent)
		case e, ok := <-sub.Events():
			if !ok {
				if err := sub.Err(); err != nil {
					return false, unlessEnded(held, fmt.Errorf("subscription to %s: %w", s.shard, err))
				}
				return false, nil
			}

			event, ok := e.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent)
			if !ok { // of a kind that is not known yet
				continue
			}
			if ended, err := s.event(ctx, event.Value, &asOf); ended {
				return true, err
			}
			s.pollFor, s.subscribeAt = 0, asked.Add(subscribeEvery)
			silent.Reset(silentFor)
		}
	}
}

// subscribe opens a subscription after what was handed over. It lasts as long
// as ctx, so the time for an answer is bounded by cancel.
func (s *session) subscribe(ctx context.Context, cancel context.CancelCauseFunc, arn string) (Subscription, error) {
	late := time.AfterFunc(s.r.o.CallTimeout, func() { cancel(errNoAnswer) })
	defer late.Stop()

	if err := s.compare(ctx); err != nil {
		return nil, err
	}

	s.iterator = "" // polling, should it come to that, goes on after what is handed over here
	from := s.from()
	sub, err := s.r.o.FanOut.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN: &arn, ShardId: &s.shard, StartingPosition: &from,
	}, withoutRetries)

	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return nil, errNoAnswer
	}
	return sub, err
}

// event hands one event over. asOf is the time for Batch.AsOf. An event does not
// say when it was sent, and it may have waited for a slow handler. But it was sent
// after the subscription was asked for, and after its last record arrived: asOf
// is the later of the two.
func (s *session) event(ctx context.Context, e types.SubscribeToShardEvent, asOf *time.Time) (ended bool, err error) {
	next := aws.ToString(e.ContinuationSequenceNumber)
	b := s.batch(e.Records, e.MillisBehindLatest)
	if len(e.ChildShards) > 0 || next == "" {
		s.close(&b)
	}
	if n := len(b.Records); n > 0 && b.Records[n-1].Arrived.After(*asOf) {
		*asOf = b.Records[n-1].Arrived
	}
	b.AsOf = *asOf

	if ended, err := s.handOver(ctx, b, time.Now(), true); ended {
		return true, err
	}

	// While the record that was asked for has not come, the continuation may lie
	// before it: going on from there would hand records over twice.
	if !s.resuming {
		s.continuation = next
	}
	return false, nil
}
