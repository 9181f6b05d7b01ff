package sns

import (
	"context"
	"maps"
	"net/url"
	"slices"
)

// op is one action; its result is what goes between <ActionResult> and its end.
type op func(ctx context.Context, form url.Values) (result any, err error)

func (s *Service) ops() map[string]op {
	return map[string]op{
		"Publish":    s.publish,
		"ListTopics": s.listTopics,
		"CreateTopic": func(_ context.Context, f url.Values) (any, error) {
			arn, err := s.CreateTopic(f.Get("Name"), pairs(f, "Attributes"))
			return topicResult{arn}, err
		},
		"DeleteTopic": func(_ context.Context, f url.Values) (any, error) { return nil, s.deleteTopic(f.Get("TopicArn")) },
		"Subscribe": func(_ context.Context, f url.Values) (any, error) {
			arn, err := s.Subscribe(f.Get("TopicArn"), f.Get("Protocol"), f.Get("Endpoint"), pairs(f, "Attributes"))
			return struct{ SubscriptionArn string }{arn}, err
		},
		"Unsubscribe": func(_ context.Context, f url.Values) (any, error) {
			return nil, s.unsubscribe(f.Get("SubscriptionArn"))
		},
	}
}

// Operations returns the actions' names.
func (s *Service) Operations() []string { return slices.Sorted(maps.Keys(s.ops())) }

type topicResult struct{ TopicArn string }

func (s *Service) listTopics(context.Context, url.Values) (any, error) {
	out := struct {
		Topics []topicResult `xml:"Topics>member"`
	}{}

	for _, name := range slices.Sorted(maps.Keys(s.read())) {
		out.Topics = append(out.Topics, topicResult{prefix + name})
	}
	return out, nil
}

func (s *Service) publish(ctx context.Context, f url.Values) (any, error) {
	m, err := published(f)
	if err != nil {
		return nil, err
	}

	out := struct {
		MessageID string `xml:"MessageId"`
	}{m.id}

	arn := f.Get("TopicArn") + f.Get("TargetArn")
	if number := f.Get("PhoneNumber"); number != "" {
		if arn != "" {
			return nil, invalid("PhoneNumber Reason: name a phone number or a topic, not both")
		}
		return out, s.text(number, m)
	}

	t, err := find(s.read(), arn)
	if err != nil {
		return nil, err
	}
	return out, s.toTopic(ctx, t, m)
}
