package fakestream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/stream/shardreader"
)

type consumer struct {
	types.Consumer
	subscribed map[string]*subscription // by shard; the last one
}

// Register registers a consumer and returns its ARN.
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

// Break ends every subscription with err, or, where it is nil, as if its time
// had come.
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

// wake lets subscriptions look again; mu is held.
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

	// A consumer has one subscription a shard; after 5 s another takes it over.
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
