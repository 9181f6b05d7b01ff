package sqs

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tandem/services/emulator/wire"
)

// Ops gives the operations; base is the address that clients reach the emulator
// at, for queue URLs.
func (s *Service) Ops(base func(context.Context) string) map[string]wire.Op {
	return map[string]wire.Op{
		"CreateQueue": wire.Handle(func(ctx context.Context, in createIn) (urlOut, error) {
			if strings.HasSuffix(in.QueueName, ".fifo") != (in.Attributes["FifoQueue"] == "true") {
				return urlOut{}, wire.Bad("InvalidParameterValue", "The name of a FIFO queue ends with .fifo, that of a standard queue does not.")
			}
			return urlOut{URL(base(ctx), in.QueueName)}, s.Create(in.QueueName, in.Attributes)
		}),
		"GetQueueUrl": wire.Handle(func(ctx context.Context, in createIn) (urlOut, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			_, err := s.find("/" + in.QueueName)
			return urlOut{URL(base(ctx), in.QueueName)}, err
		}),
		"ListQueues": wire.Handle(func(ctx context.Context, in listIn) (map[string]any, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			urls := []string{}
			for name := range s.queues {
				if strings.HasPrefix(name, in.QueueNamePrefix) {
					urls = append(urls, URL(base(ctx), name))
				}
			}
			return map[string]any{"QueueUrls": urls}, nil
		}),
		"DeleteQueue":                  wire.Handle(s.deleteQueue),
		"PurgeQueue":                   wire.Handle(s.purge),
		"GetQueueAttributes":           wire.Handle(s.getAttributes),
		"SetQueueAttributes":           wire.Handle(s.setAttributes),
		"SendMessage":                  wire.Handle(s.send),
		"SendMessageBatch":             wire.Handle(s.sendBatch),
		"ReceiveMessage":               wire.Handle(s.receive),
		"DeleteMessage":                wire.Handle(s.deleteMessage),
		"DeleteMessageBatch":           wire.Handle(s.deleteBatch),
		"ChangeMessageVisibility":      wire.Handle(s.changeVisibility),
		"ChangeMessageVisibilityBatch": wire.Handle(s.changeBatch),
		"StartMessageMoveTask":         wire.Handle(s.startMove),
		"ListMessageMoveTasks":         wire.Handle(s.listMoves),
	}
}

type createIn struct {
	QueueName  string
	Attributes map[string]string
}

type urlOut struct{ QueueUrl string } //nolint:revive // the wire's name

type listIn struct{ QueueNamePrefix string }

type queueIn struct{ QueueUrl string } //nolint:revive // the wire's name

// queueName is what CreateQueue takes: up to 80 of these, .fifo at a FIFO
// queue's end.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,75}(\.fifo)?$|^[A-Za-z0-9_-]{1,80}$`)

// Create makes a queue; one that is there with the same attributes is left.
func (s *Service) Create(name string, attributes map[string]string) error {
	if !queueName.MatchString(name) {
		return wire.Bad("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if err := checkAttributes(attributes); err != nil {
		return err
	}
	return s.do(func() error {
		if q := s.queues[name]; q != nil {
			for k, v := range attributes {
				if q.attributes[k] != v {
					return &wire.Error{Status: 400, Code: "QueueNameExists", Query: "QueueAlreadyExists",
						Message: "A queue already exists with the same name and a different value for attribute " + k}
				}
			}
			return nil
		}
		at := now()
		if err := s.write(entry{Op: "queue", Queue: name, Attributes: attributes, At: at}); err != nil {
			return err
		}
		s.queues[name] = newQueue(name, attributes, at, s.o.Seed)
		return nil
	})
}

// SetAttributes changes a queue's attributes by its name.
func (s *Service) SetAttributes(name string, attributes map[string]string) error {
	_, err := s.setAttributes(context.Background(), setIn{QueueUrl: "/" + name, Attributes: attributes})
	return err
}

// checkAttributes checks ranges as CreateQueue's page gives them.
func checkAttributes(attributes map[string]string) error {
	ranges := map[string][2]int{
		"VisibilityTimeout": {0, 43_200}, "DelaySeconds": {0, 900}, "MaximumMessageSize": {1024, maxMessage},
		"MessageRetentionPeriod": {60, 1_209_600}, "ReceiveMessageWaitTimeSeconds": {0, 20},
	}
	for k, v := range attributes {
		if r, ok := ranges[k]; ok {
			if n, err := strconv.Atoi(v); err != nil || n < r[0] || n > r[1] {
				return wire.Bad("InvalidAttributeValue", "Invalid value for the parameter %s.", k)
			}
			continue
		}
		switch k {
		case "RedrivePolicy":
			if _, err := parseRedrive(v); err != nil {
				return err
			}
		case "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit", "Policy",
			"RedriveAllowPolicy", "SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds":
		default:
			return wire.Bad("InvalidAttributeName", "Unknown Attribute %s.", k)
		}
	}
	return nil
}

type redrive struct {
	Target string
	Max    int
}

func parseRedrive(text string) (redrive, error) {
	if text == "" {
		return redrive{}, nil
	}
	var p struct {
		Target string          `json:"deadLetterTargetArn"`
		Max    json.RawMessage `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return redrive{}, wire.Bad("InvalidParameterValue", "Value %s for parameter RedrivePolicy is invalid.", text)
	}
	n, err := strconv.Atoi(strings.Trim(string(p.Max), `"`))
	if err != nil || n < 1 || n > 1000 || p.Target == "" {
		return redrive{}, wire.Bad("InvalidParameterValue", "Value %s for parameter RedrivePolicy is invalid.", text)
	}
	return redrive{p.Target, n}, nil
}

func (s *Service) deleteQueue(_ context.Context, in queueIn) (wire.Empty, error) {
	return wire.Empty{}, s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		if err := s.write(entry{Op: "delete-queue", Queue: q.name}); err != nil {
			return err
		}
		delete(s.queues, q.name)
		q.signal()
		return nil
	})
}

func (s *Service) purge(_ context.Context, in queueIn) (wire.Empty, error) {
	return wire.Empty{}, s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		if time.Since(q.purgedAt) < time.Minute {
			return &wire.Error{Status: 403, Code: "PurgeQueueInProgress", Query: "AWS.SimpleQueueService.PurgeQueueInProgress",
				Message: "Only one PurgeQueue operation on " + q.name + " is allowed every 60 seconds."}
		}
		if err := s.write(entry{Op: "purge", Queue: q.name}); err != nil {
			return err
		}
		q.purgedAt = time.Now()
		for _, m := range q.byID {
			q.remove(m)
		}
		return nil
	})
}

type attributesIn struct {
	QueueUrl       string //nolint:revive // the wire's name
	AttributeNames []string
}

func (s *Service) getAttributes(_ context.Context, in attributesIn) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(q.attributes)
	visible, inFlight, delayed := q.counts(now())
	created := strconv.FormatInt(q.created/1000, 10)
	maps.Copy(all, map[string]string{
		"ApproximateNumberOfMessages": strconv.Itoa(visible), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
		"ApproximateNumberOfMessagesDelayed": strconv.Itoa(delayed), "CreatedTimestamp": created, "LastModifiedTimestamp": created, "QueueArn": q.arn,
	})
	out := map[string]string{}
	for _, name := range in.AttributeNames {
		if name == "All" {
			return map[string]any{"Attributes": all}, nil
		}
		v, ok := all[name]
		if ok {
			out[name] = v
		} else if checkAttributes(map[string]string{name: ""}) != nil && !strings.HasSuffix(name, "Policy") {
			return nil, wire.Bad("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return map[string]any{"Attributes": out}, nil
}

type setIn struct {
	QueueUrl   string //nolint:revive // the wire's name
	Attributes map[string]string
}

func (s *Service) setAttributes(_ context.Context, in setIn) (wire.Empty, error) {
	if err := checkAttributes(in.Attributes); err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		if err := s.write(entry{Op: "attributes", Queue: q.name, Attributes: in.Attributes}); err != nil {
			return err
		}
		maps.Copy(q.attributes, in.Attributes)
		return nil
	})
}

func (q *queue) number(name string) int64 {
	n, _ := strconv.ParseInt(q.attributes[name], 10, 64) // checked when it was set
	return n
}
