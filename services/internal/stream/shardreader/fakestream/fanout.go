package fakestream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/stream/shardreader"
)

// As docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
// has it; how often Kinesis says that there is nothing is not written there.
const (
	subscriptionLasts = 5 * time.Minute
	takeOverAfter     = 5 * time.Second
	sayNothingEvery   = 5 * time.Second
)

type consumer struct {
	types.Consumer
	subscribed map[string]*subscription // by shard; the last one
}

// Register makes a consumer and gives its ARN.
func (s *Stream) Register(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := fmt.Sprintf("%s/consumer/%s:%d", s.arn(), name, s.created.UnixMilli())
	s.consumers[arn] = &consumer{
		Consumer:   types.Consumer{ConsumerName: &name, ConsumerARN: &arn, ConsumerStatus: types.ConsumerStatusActive, ConsumerCreationTimestamp: aws.Time(time.Now())},
		subscribed: map[string]*subscription{},
	}
	return arn
}

// Deregister deletes a consumer; its subscriptions end.
func (s *Stream) Deregister(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.consumers, arn)
	s.wake()
}

// Break ends every subscription with err; nil as if its time had come.
func (s *Stream) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.consumers {
		for _, sub := range c.subscribed {
			sub.end(err)
		}
	}
}

// Mute makes subscriptions bring nothing, as over a connection that died.
func (s *Stream) Mute(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = on
	s.wake()
}

func (s *Stream) muted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mute
}

// Subscribed counts the subscriptions of a consumer that are open.
func (s *Stream) Subscribed(arn string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.consumers[arn]; c != nil {
		for _, sub := range c.subscribed {
			if sub.open() {
				n++
			}
		}
	}
	return n
}

func (s *Stream) arn() string { return "arn:aws:kinesis:us-east-1:000000000000:stream/s" }

// wake lets subscriptions look again.
func (s *Stream) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// ListStreamConsumers implements shardreader.FanOutClient.
func (s *Stream) ListStreamConsumers(context.Context, *kinesis.ListStreamConsumersInput, ...func(*kinesis.Options)) (*kinesis.ListStreamConsumersOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("ListStreamConsumers"); err != nil {
		return nil, err
	}
	out := &kinesis.ListStreamConsumersOutput{}
	for _, c := range s.consumers {
		out.Consumers = append(out.Consumers, c.Consumer)
	}
	slices.SortFunc(out.Consumers, func(a, b types.Consumer) int { return strings.Compare(*a.ConsumerName, *b.ConsumerName) })
	return out, nil
}

// SubscribeToShard implements shardreader.FanOutClient.
func (s *Stream) SubscribeToShard(ctx context.Context, in *kinesis.SubscribeToShardInput, _ ...func(*kinesis.Options)) (shardreader.Subscription, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("SubscribeToShard"); err != nil {
		return nil, err
	}
	c, sh := s.consumers[*in.ConsumerARN], s.shards[*in.ShardId]
	if c == nil || sh == nil {
		return nil, missing("consumer or shard " + *in.ShardId)
	}
	from, err := s.position(sh, *in.StartingPosition)
	if err != nil {
		return nil, err
	}
	if before := c.subscribed[*in.ShardId]; before != nil {
		if time.Since(before.began) < takeOverAfter {
			return nil, InUse()
		}
		before.end(InUse())
	}
	sub := &subscription{
		s: s, consumer: *in.ConsumerARN, shard: sh, from: from, began: time.Now(),
		events: make(chan types.SubscribeToShardEventStream), done: make(chan struct{}),
	}
	c.subscribed[*in.ShardId] = sub
	go sub.run(ctx)
	return sub, nil
}

// InUse is the error of a consumer that subscribed less than 5 s ago, or was
// taken over.
func InUse() error { return &types.ResourceInUseException{Message: aws.String("subscribed elsewhere")} }

// subscription sends events as records come, one at a time: it holds the next
// back until the last was taken.
type subscription struct {
	s        *Stream
	consumer string
	shard    *shard
	from     string
	began    time.Time
	events   chan types.SubscribeToShardEventStream

	once sync.Once
	done chan struct{}
	err  error // set before done is closed
}

func (u *subscription) end(err error) {
	u.once.Do(func() {
		u.err = err
		close(u.done)
	})
}

func (u *subscription) open() bool {
	select {
	case <-u.done:
		return false
	default:
		return true
	}
}

// Events implements shardreader.Subscription.
func (u *subscription) Events() <-chan types.SubscribeToShardEventStream { return u.events }

// Close implements shardreader.Subscription.
func (u *subscription) Close() error {
	u.end(nil)
	return nil
}

// Err implements shardreader.Subscription.
func (u *subscription) Err() error {
	if u.open() {
		return nil
	}
	return u.err
}

func (u *subscription) run(ctx context.Context) {
	defer close(u.events)
	over := time.NewTimer(subscriptionLasts)
	defer over.Stop()
	nothing := time.NewTicker(sayNothingEvery)
	defer nothing.Stop()
	for say := true; ; { // say sends an event without records
		event, after, changed, ok := u.next()
		if !ok {
			u.end(missing("consumer"))
			return
		}
		closed, events := event.ChildShards != nil, u.events
		if !u.s.muted() && (say || closed || len(event.Records) > 0) {
			changed = nil // first things first
		} else {
			events = nil
		}
		select {
		case events <- &types.SubscribeToShardEventStreamMemberSubscribeToShardEvent{Value: event}:
			say, u.from = false, after
			if closed {
				u.end(nil)
				return
			}
		case <-changed:
		case <-nothing.C:
			say = true
		case <-over.C:
			u.end(nil)
			return
		case <-ctx.Done():
			u.end(ctx.Err())
			return
		case <-u.done:
			return
		}
	}
}

// next is the event to send now, where the one after it begins, and what is
// closed when there may be more; ok is false once the consumer is gone, or the
// stream with it.
func (u *subscription) next() (e types.SubscribeToShardEvent, after string, changed <-chan struct{}, ok bool) {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	if u.s.consumers[u.consumer] == nil {
		return e, "", nil, false
	}
	out := u.s.read(u.shard, u.from)
	e = types.SubscribeToShardEvent{Records: out.Records, MillisBehindLatest: out.MillisBehindLatest}
	if out.NextShardIterator == nil {
		for _, id := range u.s.order {
			child := u.s.shards[id]
			if p := aws.ToString(u.shard.ShardId); aws.ToString(child.ParentShardId) == p || aws.ToString(child.AdjacentParentShardId) == p {
				e.ChildShards = append(e.ChildShards, types.ChildShard{ShardId: child.ShardId})
			}
		}
		return e, u.from, u.s.changed, true
	}
	last := sequence(u.s.next)
	if n := len(out.Records); n > 0 {
		last = *out.Records[n-1].SequenceNumber
	}
	e.ContinuationSequenceNumber = &last
	return e, behind(last), u.s.changed, true
}
