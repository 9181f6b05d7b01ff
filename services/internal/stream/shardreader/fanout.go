package shardreader

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Subscription is the events of one SubscribeToShard call;
// *kinesis.SubscribeToShardEventStream is one. Events is closed at its end.
type Subscription interface {
	Events() <-chan types.SubscribeToShardEventStream
	Close() error
	Err() error
}

// FanOutClient is what reading by enhanced fan-out needs beside a Client.
// FanOutOf returns one for the SDK's client.
type FanOutClient interface {
	ListStreamConsumers(context.Context, *kinesis.ListStreamConsumersInput, ...func(*kinesis.Options)) (*kinesis.ListStreamConsumersOutput, error)
	SubscribeToShard(context.Context, *kinesis.SubscribeToShardInput, ...func(*kinesis.Options)) (Subscription, error)
}

// FanOutOf returns a FanOutClient: the SDK's own output type holds its event
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

// Consumer is a registered consumer of the stream.
type Consumer struct {
	Name, ARN string // recreated under the same name, it has another ARN
	Active    bool   // may be subscribed with
}

// ErrNoConsumer says that the stream has no such consumer.
var ErrNoConsumer = errors.New("shardreader: no such consumer")

// Consumer returns the stream's consumer of that name or ARN, or ErrNoConsumer.
func (r *Reader) Consumer(ctx context.Context, nameOrARN string) (Consumer, error) {
	all, err := r.Consumers(ctx)
	if err != nil {
		return Consumer{}, err
	}

	for _, c := range all {
		if c.Name == nameOrARN || c.ARN == nameOrARN {
			return c, nil
		}
	}
	return Consumer{}, fmt.Errorf("%w: %s, of stream %s", ErrNoConsumer, nameOrARN, r.o.Stream)
}

// Consumers lists the stream's registered consumers.
func (r *Reader) Consumers(ctx context.Context) ([]Consumer, error) {
	if r.o.FanOut == nil {
		return nil, wrong("FanOut", "nil", "one that lists consumers")
	}
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
