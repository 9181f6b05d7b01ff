package sns

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"tandem/services/emulator/wire"
)

// op is one action; its result is what goes between <ActionResult> and its end.
type op func(ctx context.Context, form url.Values) (result any, err error)

func (s *Service) ops() map[string]op {
	return map[string]op{
		"Publish": s.publish, "PublishBatch": s.publishBatch,
		"CreateTopic": func(_ context.Context, f url.Values) (any, error) {
			arn, err := s.CreateTopic(f.Get("Name"), pairs(f, "Attributes"))
			return topicResult{arn}, err
		},
		"DeleteTopic": func(_ context.Context, f url.Values) (any, error) { return nil, s.DeleteTopic(f.Get("TopicArn")) },
		"ListTopics":  s.listTopics,
		"GetTopicAttributes": func(_ context.Context, f url.Values) (any, error) {
			a, err := s.topicAttributes(f.Get("TopicArn"))
			return attributesOf(a), err
		},
		"SetTopicAttributes": func(_ context.Context, f url.Values) (any, error) {
			return nil, s.setTopicAttribute(f.Get("TopicArn"), f.Get("AttributeName"), f.Get("AttributeValue"))
		},
		"Subscribe": func(_ context.Context, f url.Values) (any, error) {
			arn, err := s.Subscribe(f.Get("TopicArn"), f.Get("Protocol"), f.Get("Endpoint"), pairs(f, "Attributes"))
			return subscribeResult{arn}, err
		},
		"Unsubscribe": func(_ context.Context, f url.Values) (any, error) {
			return nil, s.unsubscribe(f.Get("SubscriptionArn"))
		},
		"ListSubscriptionsByTopic": s.listSubscriptions,
		"GetSubscriptionAttributes": func(_ context.Context, f url.Values) (any, error) {
			a, err := s.subscriptionAttributes(f.Get("SubscriptionArn"))
			return attributesOf(a), err
		},
		"SetSubscriptionAttributes": func(_ context.Context, f url.Values) (any, error) {
			return nil, s.setSubscriptionAttribute(f.Get("SubscriptionArn"), f.Get("AttributeName"), f.Get("AttributeValue"))
		},
	}
}

// Operations gives the actions' names.
func (s *Service) Operations() []string { return slices.Sorted(maps.Keys(s.ops())) }

type (
	topicResult struct{ TopicArn string }

	subscribeResult struct{ SubscriptionArn string }

	publishResult struct {
		MessageID string `xml:"MessageId"`
	}

	pair struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	}

	attributesResult struct {
		Attributes []pair `xml:"Attributes>entry"`
	}

	member struct {
		SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string
	}

	batched struct {
		ID        string `xml:"Id"`
		MessageID string `xml:"MessageId"`
	}

	failed struct {
		ID            string `xml:"Id"`
		Code, Message string
		SenderFault   bool
	}

	batchResult struct {
		Successful []batched `xml:"Successful>member"`
		Failed     []failed  `xml:"Failed>member"`
	}
)

func attributesOf(m map[string]string) attributesResult {
	out := attributesResult{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out.Attributes = append(out.Attributes, pair{k, m[k]})
	}
	return out
}

func (s *Service) publish(ctx context.Context, f url.Values) (any, error) {
	m, err := published(f, "")
	if err != nil {
		return nil, err
	}
	arn := f.Get("TopicArn")
	if arn == "" {
		arn = f.Get("TargetArn")
	}
	if number := f.Get("PhoneNumber"); number != "" {
		if arn != "" {
			return nil, invalid("PhoneNumber Reason: name a phone number or a topic, not both")
		}
		return publishResult{m.id}, s.text(number, m)
	}
	t, err := find(s.read(), arn)
	if err != nil {
		return nil, err
	}
	return publishResult{m.id}, s.toTopic(ctx, t, m)
}

func (s *Service) publishBatch(ctx context.Context, f url.Values) (any, error) {
	t, err := find(s.read(), f.Get("TopicArn"))
	if err != nil {
		return nil, err
	}
	ids, size := []string{}, 0
	for i := 1; f.Has(fmt.Sprintf("PublishBatchRequestEntries.member.%d.Id", i)); i++ {
		id := f.Get(fmt.Sprintf("PublishBatchRequestEntries.member.%d.Id", i))
		if slices.Contains(ids, id) {
			return nil, wire.Bad("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		if ids = append(ids, id); len(ids) > maxBatch {
			return nil, wire.Bad("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
		}
		size += len(f.Get(fmt.Sprintf("PublishBatchRequestEntries.member.%d.Message", i)))
	}
	switch {
	case len(ids) == 0:
		return nil, wire.Bad("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case size > maxMessage:
		return nil, wire.Bad("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
	}
	out := batchResult{}
	for i, id := range ids {
		m, err := published(f, fmt.Sprintf("PublishBatchRequestEntries.member.%d.", i+1))
		if err == nil {
			err = s.toTopic(ctx, t, m)
		}
		var e *wire.Error
		switch {
		case errors.As(err, &e):
			out.Failed = append(out.Failed, failed{id, e.Code, e.Message, e.Status < http.StatusInternalServerError})
		case err != nil:
			return nil, err
		default:
			out.Successful = append(out.Successful, batched{id, m.id})
		}
	}
	return out, nil
}

func (s *Service) listTopics(context.Context, url.Values) (any, error) {
	out := struct {
		Topics []topicResult `xml:"Topics>member"`
	}{}
	topics := s.read()
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		out.Topics = append(out.Topics, topicResult{prefix + name})
	}
	return out, nil
}

func (s *Service) listSubscriptions(_ context.Context, f url.Values) (any, error) {
	out := struct {
		Subscriptions []member `xml:"Subscriptions>member"`
	}{}
	t, err := find(s.read(), f.Get("TopicArn"))
	for _, sub := range t.Subscriptions {
		out.Subscriptions = append(out.Subscriptions, member{sub.ARN, account, "sqs", sub.Endpoint, t.arn()})
	}
	return out, err
}
