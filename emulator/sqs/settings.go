package sqs

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const maxMessage = 1 << 20 // bytes, since August 2025

// settings is what a queue's attributes mean; times are in seconds.
type settings struct {
	visibility, delay, maxSize, retention, wait int64
	contentDedup, dedupByGroup                  bool
	redrive                                     redrive
}

type redrive struct {
	Target          string // ARN of the dead-letter queue
	MaxReceiveCount int
}

// allow is a RedriveAllowPolicy.
type allow struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns,omitempty"`
}

type numberRange struct{ low, high int64 }

// numberAttributes returns the attributes that are numbers, with their ranges.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func numberAttributes() map[string]numberRange {
	return map[string]numberRange{
		"VisibilityTimeout": {0, 43_200}, "DelaySeconds": {0, 900}, "MaximumMessageSize": {1024, maxMessage},
		"MessageRetentionPeriod": {60, 1_209_600}, "ReceiveMessageWaitTimeSeconds": {0, 20}, "KmsDataKeyReusePeriodSeconds": {60, 86_400},
	}
}

// choiceAttributes returns the attributes that are one of a few words.
func choiceAttributes() map[string][]string {
	yes := []string{"true", "false"}
	return map[string][]string{
		"SqsManagedSseEnabled": yes, "ContentBasedDeduplication": yes, "FifoQueue": yes,
		"DeduplicationScope": {"messageGroup", "queue"}, "FifoThroughputLimit": {"perQueue", "perMessageGroupId"},
	}
}

var fifoOnly = []string{"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

// readOnly are attributes that are read and never set.
var readOnly = []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
	"CreatedTimestamp", "LastModifiedTimestamp", "QueueArn"}

// checkSettings refuses attributes, and values of them, that AWS refuses.
func checkSettings(attributes map[string]string, fifo bool) error {
	ranges, choices := numberAttributes(), choiceAttributes()
	for _, k := range slices.Sorted(maps.Keys(attributes)) {
		v := attributes[k]
		if slices.Contains(fifoOnly, k) && !fifo {
			if k == "FifoQueue" {
				return badName(k)
			}
			return fail(400, "InvalidAttributeName", "InvalidAttributeName", "You can specify the %s only when FifoQueue is set to true.", k)
		}

		if r, ok := ranges[k]; ok {
			if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < r.low || n > r.high {
				return badValue(k, "")
			}
			continue
		}

		if c, ok := choices[k]; ok {
			if !slices.Contains(c, v) {
				return badValue(k, "")
			}
			continue
		}

		if err := checkText(k, v); err != nil {
			return err
		}
	}

	if attributes["FifoQueue"] == "false" {
		return badValue("FifoQueue", " Reason: Modifying queue type is not supported.")
	}
	if attributes["KmsMasterKeyId"] != "" && attributes["SqsManagedSseEnabled"] == "true" {
		return fail(400, "InvalidAttributeName", "InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
	}
	return nil
}

func checkText(k, v string) (err error) {
	switch k {
	case "RedrivePolicy":
		_, err = parseRedrive(v)
	case "RedriveAllowPolicy":
		_, err = parseAllow(v)
	case "Policy":
		var policy struct{ Statement json.RawMessage }
		if v != "" && (json.Unmarshal([]byte(v), &policy) != nil || policy.Statement == nil) {
			err = badValue("Policy", "")
		}
	case "KmsMasterKeyId":
	default:
		err = badName(k)
	}
	return err
}

func parseRedrive(text string) (redrive, error) {
	if text == "" {
		return redrive{}, nil
	}

	refuse := func(reason string, args ...any) (redrive, error) {
		return redrive{}, invalidValue("RedrivePolicy", text, reason, args...)
	}

	var p struct {
		Target string          `json:"deadLetterTargetArn"`
		Max    json.RawMessage `json:"maxReceiveCount"`
	}
	switch {
	case json.Unmarshal([]byte(text), &p) != nil:
		return refuse("Redrive policy is not a valid JSON map.")
	case p.Target == "":
		return refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	case p.Max == nil:
		return refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	case !strings.HasPrefix(p.Target, "arn:"):
		return refuse("Invalid value for deadLetterTargetArn.")
	}

	// AWS takes a number as text too.
	n, err := strconv.Atoi(strings.Trim(string(p.Max), `"`))
	if err != nil || n < 1 || n > 1000 {
		return refuse("Invalid value for maxReceiveCount: %s, valid values are from 1 to 1000 both inclusive.", p.Max)
	}
	return redrive{p.Target, n}, nil
}

func parseAllow(text string) (allow, error) {
	if text == "" {
		return allow{Permission: "allowAll"}, nil
	}

	var p allow
	ok := json.Unmarshal([]byte(text), &p) == nil
	switch p.Permission {
	case "allowAll", "denyAll":
		ok = ok && len(p.Sources) == 0
	case "byQueue":
		ok = ok && len(p.Sources) >= 1 && len(p.Sources) <= 10
	default:
		ok = false
	}

	if !ok {
		return allow{}, invalidValue("RedriveAllowPolicy", text, "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
	}
	return p, nil
}

func (a allow) allows(arn string) bool {
	return a.Permission == "allowAll" || a.Permission == "byQueue" && slices.Contains(a.Sources, arn)
}

func defaults(fifo bool) map[string]string {
	d := map[string]string{
		"VisibilityTimeout": "30", "DelaySeconds": "0", "MaximumMessageSize": strconv.Itoa(maxMessage),
		"MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
	}

	if fifo {
		maps.Copy(d, map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "false",
			"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"})
	}
	return d
}

// merge returns the attributes as they are with changes, which were checked.
func merge(attributes, changes map[string]string) map[string]string {
	out := maps.Clone(attributes)
	maps.Copy(out, changes)

	// A queue has one kind of encryption at a time.
	switch {
	case changes["KmsMasterKeyId"] != "":
		out["SqsManagedSseEnabled"] = "false"
	case changes["SqsManagedSseEnabled"] == "true":
		delete(out, "KmsMasterKeyId")
	}

	// An empty value removes a policy.
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

// apply sets attributes that were checked.
func (q *queue) apply(changes map[string]string, at int64) {
	if q.attributes == nil {
		q.attributes = defaults(q.fifo)
	}

	// All that is too old by the retention until now goes first, whenever the last
	// sweep was: after a restart a longer retention must bring nothing back.
	q.swept = 0
	q.expire(at)
	q.attributes, q.modified = merge(q.attributes, changes), at

	number := func(name string) int64 {
		n, _ := strconv.ParseInt(q.attributes[name], 10, 64)
		return n
	}

	delay := q.set.delay
	policy, _ := parseRedrive(q.attributes["RedrivePolicy"])
	q.set = settings{
		visibility: number("VisibilityTimeout"), delay: number("DelaySeconds"), maxSize: number("MaximumMessageSize"),
		retention: number("MessageRetentionPeriod"), wait: number("ReceiveMessageWaitTimeSeconds"), redrive: policy,
		contentDedup: q.attributes["ContentBasedDeduplication"] == "true",
		dedupByGroup: q.attributes["DeduplicationScope"] == "messageGroup",
	}

	if q.fifo && q.set.delay != delay {
		q.placeAgain(at)
	}
}

// differs returns the first attribute whose value is not the queue's.
func (q *queue) differs(attributes map[string]string) (name string, differs bool) {
	for _, k := range slices.Sorted(maps.Keys(attributes)) {
		if !sameValue(q.attributes[k], attributes[k]) {
			return k, true
		}
	}
	return "", false
}

// sameValue reports whether two values are equal, policies by their content.
func sameValue(a, b string) bool {
	var x, y any
	return a == b || json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
