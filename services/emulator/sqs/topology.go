package sqs

import (
	"cmp"
	"context"
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tandem/services/emulator/wire"
)

// Ops gives the operations; base is the address that clients reach the emulator
// at, for queue URLs.
func (s *Service) Ops(base func(context.Context) string) map[string]wire.Op {
	url := func(ctx context.Context, name string) string { return URL(base(ctx), name) }
	return map[string]wire.Op{
		"CreateQueue": wire.Handle(func(ctx context.Context, in createIn) (urlOut, error) {
			return urlOut{url(ctx, in.QueueName)}, s.createQueue(in)
		}),
		"GetQueueUrl": wire.Handle(func(ctx context.Context, in createIn) (urlOut, error) {
			return urlOut{url(ctx, in.QueueName)}, s.on("/"+in.QueueName, func(*queue) error { return nil })
		}),
		"ListQueues": wire.Handle(func(ctx context.Context, in listIn) (listOut, error) {
			return s.list(in, func(q *queue) bool { return strings.HasPrefix(q.name, in.QueueNamePrefix) },
				func(name string) string { return url(ctx, name) })
		}),
		"ListDeadLetterSourceQueues": wire.Handle(func(ctx context.Context, in listIn) (sourcesOut, error) {
			var arn string
			if err := s.on(in.QueueUrl, func(q *queue) error { arn = q.arn; return nil }); err != nil {
				return sourcesOut{}, err
			}
			out, err := s.list(in, func(q *queue) bool { return q.set.redrive.Target == arn }, func(name string) string { return url(ctx, name) })
			return sourcesOut{append([]string{}, out.QueueUrls...), out.NextToken}, err
		}),
		"DeleteQueue":                  wire.Handle(s.deleteQueue),
		"PurgeQueue":                   wire.Handle(s.purge),
		"GetQueueAttributes":           wire.Handle(s.getAttributes),
		"SetQueueAttributes":           wire.Handle(s.setAttributes),
		"TagQueue":                     wire.Handle(s.tag),
		"UntagQueue":                   wire.Handle(s.tag),
		"ListQueueTags":                wire.Handle(s.listTags),
		"SendMessage":                  wire.Handle(s.send),
		"SendMessageBatch":             wire.Handle(s.sendBatch),
		"ReceiveMessage":               wire.Handle(s.receive),
		"DeleteMessage":                wire.Handle(s.deleteMessage),
		"DeleteMessageBatch":           wire.Handle(s.deleteBatch),
		"ChangeMessageVisibility":      wire.Handle(s.changeVisibility),
		"ChangeMessageVisibilityBatch": wire.Handle(s.changeBatch),
		"StartMessageMoveTask":         wire.Handle(s.startMove),
		"ListMessageMoveTasks":         wire.Handle(s.listMoves),
		"CancelMessageMoveTask":        wire.Handle(s.cancelMove),
	}
}

type createIn struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}

type urlOut struct{ QueueUrl string } //nolint:revive // the wire's name

type listIn struct {
	QueueUrl        string //nolint:revive // the wire's name
	QueueNamePrefix string
	MaxResults      *int
	NextToken       string
}

type listOut struct {
	QueueUrls []string `json:",omitempty"`
	NextToken string   `json:",omitempty"`
}

type sourcesOut struct {
	QueueURLs []string `json:"queueUrls"`
	NextToken string   `json:",omitempty"`
}

type queueIn struct{ QueueUrl string } //nolint:revive // the wire's name

const (
	deletedWait = 60_000 // ms, before a deleted queue's name can be used again
	purgeWait   = 60_000 // ms
	pageLimit   = 1000
	maxTags     = 50
)

// queueName is what CreateQueue takes: up to 80 of these, .fifo at a FIFO
// queue's end.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,75}(\.fifo)?$|^[A-Za-z0-9_-]{1,80}$`)

func (s *Service) createQueue(in createIn) error {
	if strings.HasSuffix(in.QueueName, ".fifo") != (in.Attributes["FifoQueue"] == "true") {
		return invalid("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length; that of a standard queue has no .fifo suffix.")
	}
	return s.create(in, true)
}

// Create makes a queue by what a template says: FIFO by its name, and its
// dead-letter queue may be made later. One that is there with the same
// attributes is left.
func (s *Service) Create(name string, attributes map[string]string) error {
	return s.create(createIn{QueueName: name, Attributes: attributes}, false)
}

func (s *Service) create(in createIn, strict bool) error {
	if !queueName.MatchString(in.QueueName) {
		return invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	fifo := strings.HasSuffix(in.QueueName, ".fifo")
	if err := cmp.Or(checkSettings(in.Attributes, fifo), checkTags(in.Tags)); err != nil {
		return err
	}
	return s.alone(func() error {
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
		return s.commit(entry{Op: opQueue, Queue: in.QueueName, Attributes: in.Attributes, Tags: in.Tags, At: at})
	})
}

// commit journals one entry and applies it as a restart would.
func (s *Service) commit(e entry) error {
	if err := s.write(e); err != nil {
		return err
	}
	return s.replay(e, now())
}

// checkTogether checks what attributes demand of each other and of other
// queues.
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

// SetAttributes changes a queue's attributes by its name, as a template says.
func (s *Service) SetAttributes(name string, attributes map[string]string) error {
	return s.change(setIn{QueueUrl: "/" + name, Attributes: attributes}, false)
}

type setIn struct {
	QueueUrl   string //nolint:revive // the wire's name
	Attributes map[string]string
}

func (s *Service) setAttributes(_ context.Context, in setIn) (wire.Empty, error) {
	return wire.Empty{}, s.change(in, true)
}

func (s *Service) change(in setIn, strict bool) error {
	return s.alone(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		if err := cmp.Or(checkSettings(in.Attributes, q.fifo), s.checkTogether(q.name, merge(q.attributes, in.Attributes), strict)); err != nil {
			return err
		}
		return s.commit(entry{Op: opAttributes, Queue: q.name, Attributes: in.Attributes, At: now()})
	})
}

// list gives a page of the queues that match, by name.
func (s *Service) list(in listIn, match func(*queue) bool, url func(string) string) (out listOut, err error) {
	limit := pageLimit
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	after, err := base64.StdEncoding.DecodeString(in.NextToken)
	if limit < 1 || limit > pageLimit {
		return out, invalidValue("MaxResults", limit, "MaxResults must be an integer between 1 and %d", pageLimit)
	}
	if err != nil {
		return out, invalidValue("NextToken", in.NextToken, "Invalid or expired next token.")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	last := ""
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		q.mu.Lock()
		ok := name > string(after) && match(q)
		q.mu.Unlock()
		if !ok {
			continue
		}
		if len(out.QueueUrls) == limit {
			out.NextToken = base64.StdEncoding.EncodeToString([]byte(last))
			break
		}
		out.QueueUrls, last = append(out.QueueUrls, url(name)), name
	}
	return out, nil
}

// deleteQueue deletes at once, where AWS takes up to a minute.
func (s *Service) deleteQueue(_ context.Context, in queueIn) (wire.Empty, error) {
	return wire.Empty{}, s.alone(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		if err := s.commit(entry{Op: opDeleteQueue, Queue: q.name, At: now()}); err != nil {
			return err
		}
		q.signal()
		return nil
	})
}

func (s *Service) purge(_ context.Context, in queueIn) (wire.Empty, error) {
	return wire.Empty{}, s.alone(func() error {
		q, err := s.find(in.QueueUrl)
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

type attributesIn struct {
	QueueUrl       string //nolint:revive // the wire's name
	AttributeNames []string
}

func (s *Service) getAttributes(_ context.Context, in attributesIn) (map[string]any, error) {
	out := map[string]string{}
	err := s.on(in.QueueUrl, func(q *queue) error {
		all := q.describe()
		for _, name := range in.AttributeNames {
			v, ok := all[name]
			_, number := numbers()[name]
			_, word := words()[name]
			switch {
			case name == "All":
				out = all
				return nil
			case ok:
				out[name] = v
			case !number && !word && checkText(name, "") != nil:
				return badName(name)
			}
		}
		return nil
	})
	return map[string]any{"Attributes": out}, err
}

func (q *queue) describe() map[string]string {
	all := maps.Clone(q.attributes)
	visible, inFlight, delayed := q.counts(now())
	for i, v := range []int64{int64(visible), int64(inFlight), int64(delayed), q.created / 1000, q.modified / 1000} {
		all[readOnly[i]] = strconv.FormatInt(v, 10)
	}
	all["QueueArn"] = q.arn
	if all["KmsMasterKeyId"] != "" && all["KmsDataKeyReusePeriodSeconds"] == "" {
		all["KmsDataKeyReusePeriodSeconds"] = "300"
	}
	return all
}

type tagIn struct {
	QueueUrl string            //nolint:revive // the wire's name
	Tags     map[string]string // TagQueue
	TagKeys  []string          // UntagQueue
}

// checkTags checks as the developer guide says.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html
func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return invalid("Too many tags added for queue: %d; the most is %d.", len(tags), maxTags)
	}
	for k, v := range tags {
		if k == "" || len(k) > 128 || len(v) > 256 || strings.HasPrefix(k, "aws:") {
			return invalid("Tag keys must be between 1 and 128 characters in length, tag values up to 256; keys cannot begin with aws:.")
		}
	}
	return nil
}

func (s *Service) tag(_ context.Context, in tagIn) (wire.Empty, error) {
	return wire.Empty{}, s.on(in.QueueUrl, func(q *queue) error {
		tags := maps.Clone(q.tags)
		maps.Copy(tags, in.Tags)
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
		if err := checkTags(tags); err != nil {
			return err
		}
		if err := s.write(entry{Op: opTags, Queue: q.name, Tags: tags}); err != nil {
			return err
		}
		q.tags = tags
		return nil
	})
}

type tagsOut struct {
	Tags map[string]string `json:",omitempty"`
}

func (s *Service) listTags(_ context.Context, in queueIn) (out tagsOut, err error) {
	err = s.on(in.QueueUrl, func(q *queue) error { out.Tags = q.tags; return nil })
	return out, err
}
