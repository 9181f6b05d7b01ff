package kinesis

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/emulator/wire"
)

// consumer is a registered fan-out consumer of a stream.
type consumer struct {
	Name    string `json:"name"`
	Created int64  `json:"created"` // ms
	Stamp   int64  `json:"stamp"`   // of its ARN: when it was created, in seconds
}

const (
	// creatingTime is how long a consumer cannot be used after its registration.
	creatingTime = 500 * time.Millisecond
	// maxCreating is how many may be in that state.
	// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RegisterStreamConsumer.html
	maxCreating = 5
)

func (c consumer) creating(nowMS int64) bool {
	age := nowMS - c.Created
	return age >= 0 && age < creatingTime.Milliseconds() // below 0: the clock went back
}

func (c consumer) arn(stream string) string {
	return streamARN(stream) + "/consumer/" + c.Name + ":" + strconv.FormatInt(c.Stamp, 10)
}

func (c consumer) describe(stream string, nowMS int64) map[string]any {
	status := "ACTIVE"
	if c.creating(nowMS) {
		status = "CREATING"
	}
	return map[string]any{
		"ConsumerName": c.Name, "ConsumerARN": c.arn(stream), "ConsumerStatus": status,
		"ConsumerCreationTimestamp": wire.Seconds(time.UnixMilli(c.Created)),
	}
}

// Register adds the consumer to the stream, ready for use, unless it is
// registered.
func (s *Service) Register(streamName, name string) error {
	return s.change(target{StreamName: streamName}, func(_ *stream, next *streamInfo) error {
		if next.consumer(name) != nil {
			return nil
		}
		// As if it had been registered earlier: what the template provisions is
		// ACTIVE at once.
		return next.register(consumer{Name: name, Created: s.nowMS() - creatingTime.Milliseconds()})
	})
}

func (n *streamInfo) consumer(name string) *consumer {
	i := slices.IndexFunc(n.Consumers, func(c consumer) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &n.Consumers[i]
}

func (n *streamInfo) register(c consumer) error {
	if err := checkName("consumerName", c.Name); err != nil {
		return err
	}

	switch {
	case n.consumer(c.Name) != nil:
		return wire.Bad("ResourceInUseException", "Consumer %s under stream %s already exists for account %s.", c.Name, n.Name, account)
	case len(n.Consumers) >= maxConsumers:
		return wire.Bad("LimitExceededException", "Stream %s has %d registered consumers, which is the limit.", n.Name, maxConsumers)
	}

	// A consumer that is registered again within the same second must not get
	// the ARN of the one before.
	c.Stamp = max(c.Created/1000, n.LastStamp+1)
	n.Consumers = append(n.Consumers, c)
	slices.SortFunc(n.Consumers, func(a, b consumer) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

type consumerIn struct {
	target
	ConsumerName, ConsumerARN string
}

func (s *Service) registerConsumer(_ context.Context, in consumerIn) (out map[string]any, err error) {
	err = s.change(in.target, func(_ *stream, next *streamInfo) error {
		now, waiting := s.nowMS(), 0
		for _, c := range next.Consumers {
			if c.creating(now) {
				waiting++
			}
		}

		if s.o.Limits && waiting >= maxCreating {
			return wire.Bad("LimitExceededException", "%d consumers are in CREATING status, which is the limit.", waiting)
		}

		if err := next.register(consumer{Name: in.ConsumerName, Created: now}); err != nil {
			return err
		}
		out = map[string]any{"Consumer": next.consumer(in.ConsumerName).describe(next.Name, now)}
		return nil
	})
	return out, err
}

// splitConsumerARN returns what a consumer's ARN names.
func splitConsumerARN(arn string) (stream, name string) {
	_, rest, _ := strings.Cut(arn, ":stream/")
	stream, rest, _ = strings.Cut(rest, "/consumer/")
	name, _, _ = strings.Cut(rest, ":")
	return stream, name
}

// named returns the stream and the consumer that a call is about.
func (in consumerIn) named() (target, string) {
	if in.ConsumerARN == "" {
		return in.target, in.ConsumerName
	}
	stream, name := splitConsumerARN(in.ConsumerARN)
	return target{StreamName: stream}, name
}

// registered finds a consumer by name, and by ARN where one is given: a consumer
// that was deregistered and registered again has another ARN.
func (n *streamInfo) registered(name, arn string) (consumer, error) {
	c := n.consumer(name)
	if c == nil || arn != "" && c.arn(n.Name) != arn {
		return consumer{}, wire.Bad("ResourceNotFoundException", "Consumer %s under stream %s not found for account %s.", name, n.Name, account)
	}
	return *c, nil
}

func (s *Service) deregisterConsumer(_ context.Context, in consumerIn) (wire.Empty, error) {
	t, name := in.named()

	var arn string
	err := s.change(t, func(_ *stream, next *streamInfo) error {
		c, err := next.registered(name, in.ConsumerARN)
		if err != nil {
			return err
		}

		arn = c.arn(next.Name)
		next.LastStamp = max(next.LastStamp, c.Stamp)
		next.Consumers = slices.DeleteFunc(next.Consumers, func(c consumer) bool { return c.Name == name })
		return nil
	})

	// Only once the change is saved: a call that failed leaves the subscriptions
	// running.
	if err == nil {
		s.subs.end(func(by subscriber) bool { return by.stream == t.name() && by.arn == arn }, wire.Bad("ResourceNotFoundException", "Consumer %s was deregistered.", name))
	}

	return wire.Empty{}, err
}

func (s *Service) describeConsumer(_ context.Context, in consumerIn) (map[string]any, error) {
	t, name := in.named()
	n, err := s.info(t)
	if err != nil {
		return nil, err
	}
	c, err := n.registered(name, in.ConsumerARN)
	if err != nil {
		return nil, err
	}

	d := c.describe(n.Name, s.nowMS())
	d["StreamARN"] = streamARN(n.Name)
	return map[string]any{"ConsumerDescription": d}, nil
}

type listConsumersIn struct {
	target
	NextToken               string
	MaxResults              *int
	StreamCreationTimestamp *wire.Seconds
}

func (s *Service) listConsumers(_ context.Context, in listConsumersIn) (map[string]any, error) {
	limit, err := pageLimit("maxResults", in.MaxResults, 100, 100)
	if err != nil {
		return nil, err
	}

	created, after := msOf(in.StreamCreationTimestamp), ""
	if in.NextToken != "" {
		// The token says all about the page that it continues, so it replaces
		// the request.
		t, err := s.openToken(in.NextToken)
		if err != nil {
			return nil, err
		}
		in.target, created, after = target{StreamName: t.Stream}, t.Created, t.After
	}

	n, err := s.info(in.target)
	if err != nil {
		return nil, err
	}
	if err := n.checkCreated(created); err != nil {
		return nil, err
	}

	out, list := map[string]any{}, []map[string]any{}
	page, more := pageOf(n.Consumers, limit, func(c consumer) bool { return c.Name > after })
	for _, c := range page {
		list = append(list, c.describe(n.Name, s.nowMS()))
	}

	if more {
		out["NextToken"] = token{Stream: n.Name, Created: n.Created, After: page[limit-1].Name, Issued: s.nowMS()}.text()
	}
	out["Consumers"] = list
	return out, nil
}
