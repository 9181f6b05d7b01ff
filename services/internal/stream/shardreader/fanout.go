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
	// lastRefusal is the longest time for which a shard is polled because a
	// subscription was refused.
	lastRefusal = 30 * time.Second
	// silentFor is when a subscription counts as broken: Kinesis sends events
	// without records while there is nothing to send.
	silentFor = 30 * time.Second
)

// Errors that end a subscription, not the reading.
var (
	errNoAnswer = errors.New("no answer in time")
	errSilent   = errors.New("the subscription has been silent")
)

// Subscription is the events of one SubscribeToShard call;
// *kinesis.SubscribeToShardEventStream is one. Events is closed at its end.
type Subscription interface {
	Events() <-chan types.SubscribeToShardEventStream
	Close() error
	Err() error
}

// FanOutClient is what reading by enhanced fan-out needs beside a Client.
// FanOutOf makes one of the SDK's client.
type FanOutClient interface {
	ListStreamConsumers(context.Context, *kinesis.ListStreamConsumersInput, ...func(*kinesis.Options)) (*kinesis.ListStreamConsumersOutput, error)
	SubscribeToShard(context.Context, *kinesis.SubscribeToShardInput, ...func(*kinesis.Options)) (Subscription, error)
}

// FanOutOf makes a FanOutClient: the SDK's own output type holds its event
// stream where nobody else can put one, so an interface must look past it.
func FanOutOf(c *kinesis.Client) FanOutClient { return fanOutClient{c} }

type fanOutClient struct{ *kinesis.Client }

func (c fanOutClient) SubscribeToShard(ctx context.Context, in *kinesis.SubscribeToShardInput, opts ...func(*kinesis.Options)) (Subscription, error) {
	// A client for each subscription: the SDK decodes the events of all of a
	// client's with one decoder (smithy-go v1.28.8), which is a data race.
	out, err := kinesis.New(c.Options()).SubscribeToShard(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	return out.GetStream(), nil
}

// Use gives the Consumer option of a reader that has a consumer for itself.
func Use(arn string) func() (context.Context, string) {
	return func() (context.Context, string) { return context.Background(), arn }
}

// consumer gives what to subscribe with now; no ARN: poll.
func (s *session) consumer() (held context.Context, arn string) {
	if s.r.o.FanOut == nil || s.r.o.Consumer == nil || time.Now().Before(s.subscribeAt) {
		return nil, ""
	}
	return s.r.o.Consumer()
}

// subscription subscribes and hands over events until the subscription ends,
// which is no error, fails, or the consumer is not held any more.
func (s *session) subscription(ctx, held context.Context, arn string) (ended bool, err error) {
	sctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(held, func() { cancel(context.Canceled) })()
	asked := time.Now()
	asOf := asked
	s.refused = min(max(2*s.refused, subscribeEvery), lastRefusal)
	sub, err := s.subscribe(sctx, cancel, arn)
	if err != nil {
		return false, unless(held, fmt.Errorf("subscribe to %s: %w", s.shard, err))
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
					return false, unless(held, fmt.Errorf("subscription to %s: %w", s.shard, err))
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
			s.refused, s.subscribeAt = 0, asked.Add(subscribeEvery)
			silent.Reset(silentFor)
		}
	}
}

// unless gives err, unless what failed had to end.
func unless(held context.Context, err error) error {
	if held.Err() == nil {
		return err
	}
	return nil
}

// subscribe opens a subscription behind what was handed over. It lasts as long
// as ctx, so the time for an answer is bounded by cancel.
func (s *session) subscribe(ctx context.Context, cancel context.CancelCauseFunc, arn string) (Subscription, error) {
	late := time.AfterFunc(s.r.o.CallTimeout, func() { cancel(errNoAnswer) })
	defer late.Stop()
	if err := s.compare(ctx); err != nil {
		return nil, err
	}
	s.iterator = "" // polling, should it come to that, goes on behind what is handed over here
	from := s.from()
	sub, err := s.r.o.FanOut.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN: &arn, ShardId: &s.shard, StartingPosition: &from,
	}, withoutRetries)
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return nil, errNoAnswer
	}
	return sub, err
}

// event hands one event over. asOf is the latest time from before which all
// arrivals are known to have been handed over: when an event was sent, nobody
// says, and it may have waited for a slow handler, but not from before the
// subscription was asked for nor from before the last record that it brought.
func (s *session) event(ctx context.Context, e types.SubscribeToShardEvent, asOf *time.Time) (ended bool, err error) {
	next := aws.ToString(e.ContinuationSequenceNumber)
	b := s.batch(e.Records, e.MillisBehindLatest)
	b.Closed = len(e.ChildShards) > 0 || next == ""
	if n := len(b.Records); n > 0 && b.Records[n-1].Arrived.After(*asOf) {
		*asOf = b.Records[n-1].Arrived
	}
	b.AsOf = *asOf
	if ended, err := s.hand(ctx, b, time.Now(), true); ended {
		return true, err
	}
	if !s.at { // else what was asked for did not come yet: next may lie before it
		s.after = next
	}
	return false, nil
}

// Consumer is a registered consumer of the stream.
type Consumer struct {
	Name, ARN string // made anew under the same name, it has another ARN
	Active    bool   // may be subscribed with
}

// Consumers lists the stream's registered consumers.
func (r *Reader) Consumers(ctx context.Context) ([]Consumer, error) {
	stream, err := r.Describe(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.o.CallTimeout)
	defer cancel()
	var out []Consumer
	in := &kinesis.ListStreamConsumersInput{StreamARN: &stream.ARN}
	for {
		page, err := r.o.FanOut.ListStreamConsumers(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list consumers of %s: %w", r.o.Stream, err)
		}
		for _, c := range page.Consumers {
			out = append(out, Consumer{aws.ToString(c.ConsumerName), aws.ToString(c.ConsumerARN), c.ConsumerStatus == types.ConsumerStatusActive})
		}
		if page.NextToken == nil {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}
