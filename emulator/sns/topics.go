package sns

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tandem/emulator/wire"
)

// topicName matches the names that CreateTopic takes.
// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CreateTopic creates a topic. One that exists is left as it is.
func (s *Service) CreateTopic(name string, attributes map[string]string) (arn string, err error) {
	if strings.HasSuffix(name, ".fifo") || attributes["FifoTopic"] == "true" {
		return "", invalid("Topic Name Reason: the emulator has no FIFO topics")
	}
	if !topicName.MatchString(name) {
		return "", invalid("Topic Name")
	}
	for attribute := range attributes {
		return "", invalid("AttributeName Reason: the emulator does not know %s", attribute)
	}

	return prefix + name, s.change(func(topics map[string]topic) error {
		if _, ok := topics[name]; ok {
			return nil
		}

		// All topics are written at every change, so their number is limited.
		if len(topics) == maxTopics {
			return &wire.Error{Status: 403, Code: "TopicLimitExceeded", Message: fmt.Sprintf("The emulator has at most %d topics.", maxTopics)}
		}
		topics[name] = topic{Name: name}
		return nil
	})
}

// deleteTopic deletes a topic and its subscriptions. That a topic doesn't exist is
// no error.
func (s *Service) deleteTopic(arn string) error {
	return s.change(func(topics map[string]topic) error {
		delete(topics, strings.TrimPrefix(arn, prefix))
		return nil
	})
}

// Subscribe lets a queue (by ARN) receive what is published to the topic, raw or
// in the envelope. The same call again returns the same subscription.
func (s *Service) Subscribe(topicARN, protocol, endpoint string, attributes map[string]string) (arn string, err error) {
	raw := false
	for name, v := range attributes {
		if raw, err = rawDelivery(name, v); err != nil {
			return "", err
		}
	}

	switch {
	case protocol != "sqs":
		return "", invalid("Protocol Reason: the emulator delivers to sqs, not to %q", protocol)
	case !strings.HasPrefix(endpoint, "arn:aws:sqs:"+region+":"+account+":"):
		return "", invalid("SQS endpoint ARN")
	case strings.HasSuffix(endpoint, ".fifo"):
		return "", invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
	}

	err = s.change(func(topics map[string]topic) error {
		t, err := find(topics, topicARN)
		if err != nil {
			return err
		}

		if i := slices.IndexFunc(t.Subscriptions, func(s subscription) bool { return s.Endpoint == endpoint }); i >= 0 {
			if arn = t.Subscriptions[i].ARN; t.Subscriptions[i].Raw != raw && len(attributes) > 0 {
				return invalid("Attributes Reason: Subscription already exists with different attributes")
			}
			return nil
		}

		if len(t.Subscriptions) == maxSubscriptions {
			return &wire.Error{Status: 403, Code: "SubscriptionLimitExceeded", Message: fmt.Sprintf("The emulator has at most %d subscriptions of a topic.", maxSubscriptions)}
		}

		arn = topicARN + ":" + uuid.NewString()
		t.Subscriptions = append(t.Subscriptions, subscription{ARN: arn, Endpoint: endpoint, Raw: raw})
		topics[t.Name] = t
		return nil
	})
	return arn, err
}

// rawDelivery returns the value of the one attribute that is known.
func rawDelivery(name, value string) (bool, error) {
	if name != "RawMessageDelivery" {
		return false, invalid("AttributeName Reason: the emulator does not know %s", name)
	}

	if value != "true" && value != "false" {
		return false, invalid("Attributes Reason: RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
	}
	return value == "true", nil
}

// unsubscribe deletes a subscription. That it doesn't exist is no error.
func (s *Service) unsubscribe(arn string) error {
	return s.change(func(topics map[string]topic) error {
		for name, t := range topics {
			t.Subscriptions = slices.DeleteFunc(t.Subscriptions, func(s subscription) bool { return s.ARN == arn })
			topics[name] = t
		}
		return nil
	})
}
