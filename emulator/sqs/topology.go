package sqs

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"strings"

	"tandem/emulator/wire"
)

const (
	deletedWait = 60_000 // ms, before a deleted queue's name can be used again
	purgeWait   = 60_000 // ms
	pageLimit   = 1000
)

// queueName matches the names that CreateQueue takes: up to 80 of these
// characters, with .fifo at the end of a FIFO queue's.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,75}(\.fifo)?$|^[A-Za-z0-9_-]{1,80}$`)

func (s *Service) createQueue(in createIn) error {
	if strings.HasSuffix(in.QueueName, ".fifo") != (in.Attributes["FifoQueue"] == "true") {
		return invalid("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length; that of a standard queue has no .fifo suffix.")
	}
	return s.create(in, true)
}

// Create creates a queue as a template describes it: it is FIFO by its name, and
// its dead-letter queue may be created later. A queue that exists with the same
// attributes is left as it is.
func (s *Service) Create(name string, attributes map[string]string) error {
	return s.create(createIn{QueueName: name, Attributes: attributes}, false)
}

// create creates a queue. A client's call is strict: the name of a queue deleted
// lately is refused, and so is a dead-letter queue that doesn't exist.
func (s *Service) create(in createIn, strict bool) error {
	if !queueName.MatchString(in.QueueName) {
		return invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	fifo := strings.HasSuffix(in.QueueName, ".fifo")
	if err := checkSettings(in.Attributes, fifo); err != nil {
		return err
	}

	return s.exclusively(func() error {
		if q := s.queues[in.QueueName]; q != nil {
			if name, differs := q.differs(in.Attributes); differs {
				return fail(400, "QueueNameExists", "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute %s", name)
			}
			return nil
		}

		at := now()
		if strict && s.deleted[in.QueueName]+deletedWait > at {
			return refused("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
		}

		if err := s.checkTogether(in.QueueName, merge(defaults(fifo), in.Attributes), strict); err != nil {
			return err
		}
		return s.commit(entry{Op: opQueue, Queue: in.QueueName, Attributes: in.Attributes, At: at})
	})
}

// commit journals one entry and applies it as a restart would.
func (s *Service) commit(e entry) error {
	if err := s.write(e); err != nil {
		return err
	}
	return s.replay(e, now())
}

// checkTogether refuses attributes that don't go together, and a redrive policy
// that the dead-letter queue's kind or its own policy forbids.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (s *Service) checkTogether(name string, all map[string]string, strict bool) error {
	if all["FifoThroughputLimit"] == "perMessageGroupId" && all["DeduplicationScope"] != "messageGroup" {
		return badValue("FifoThroughputLimit", " Reason: perMessageGroupId is only allowed when DeduplicationScope is messageGroup.")
	}

	policy, err := parseRedrive(all["RedrivePolicy"])
	if err != nil || policy.Target == "" {
		return err
	}

	refuse := func(reason string) error { return invalidValue("RedrivePolicy", all["RedrivePolicy"], "%s", reason) }
	target := s.byARN(policy.Target)
	switch {
	case strings.HasSuffix(policy.Target, ".fifo") != strings.HasSuffix(name, ".fifo"):
		return refuse("Dead-letter queue must be same type of queue as the source.")
	case target == nil && strict:
		return refuse("Dead letter target does not exist.")
	case target == nil:
		return nil
	}

	if a, err := parseAllow(target.attributes["RedriveAllowPolicy"]); err != nil || !a.allows(arnPrefix+name) {
		return refuse("Queue does not have permission to use this dead-letter queue: its RedriveAllowPolicy.")
	}
	return nil
}

// SetAttributes changes the attributes of the queue of this name to a template's.
// Where they are so already it writes nothing: it must do that on a full disk.
func (s *Service) SetAttributes(name string, attributes map[string]string) error {
	return s.change(setIn{QueueURL: "/" + name, Attributes: attributes}, false)
}

type setIn struct {
	QueueURL   string `json:"QueueUrl"`
	Attributes map[string]string
}

func (s *Service) setAttributes(_ context.Context, in setIn) (wire.Empty, error) {
	return wire.Empty{}, s.change(in, true)
}

func (s *Service) change(in setIn, strict bool) error {
	return s.exclusively(func() error {
		q, err := s.find(in.QueueURL)
		if err != nil {
			return err
		}
		if err := cmp.Or(checkSettings(in.Attributes, q.fifo), s.checkTogether(q.name, merge(q.attributes, in.Attributes), strict)); err != nil {
			return err
		}
		if !strict && maps.Equal(merge(q.attributes, in.Attributes), q.attributes) {
			return nil
		}

		return s.commit(entry{Op: opAttributes, Queue: q.name, Attributes: in.Attributes, At: now()})
	})
}

// deleteQueue deletes at once; AWS takes up to a minute.
func (s *Service) deleteQueue(_ context.Context, in queueIn) (wire.Empty, error) {
	return wire.Empty{}, s.exclusively(func() error {
		q, err := s.find(in.QueueURL)
		if err != nil {
			return err
		}
		if err := s.commit(entry{Op: opDeleteQueue, Queue: q.name, At: now()}); err != nil {
			return err
		}

		// Those who wait for a message learn that the queue doesn't exist any more.
		q.signal()
		return nil
	})
}

func (s *Service) purge(_ context.Context, in queueIn) (wire.Empty, error) {
	return wire.Empty{}, s.exclusively(func() error {
		q, err := s.find(in.QueueURL)
		if err != nil {
			return err
		}

		at := now()
		if q.purged+purgeWait > at {
			return fail(403, "PurgeQueueInProgress", queryPrefix+"PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.name)
		}
		return s.commit(entry{Op: opPurge, Queue: q.name, At: at})
	})
}
