package faults

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// call is what a request asks for.
type call struct {
	service, operation string
	resource           string // name of the queue, stream or topic, where there is one
	query              bool   // of the form-encoded protocol
}

// callOf returns what a request asks for: X-Amz-Target and JSON, or a form with an
// Action.
func (t *Table) callOf(r *http.Request, body []byte) call {
	target := r.Header.Get("X-Amz-Target")
	if target == "" {
		return formCall(body)
	}

	service, operation, _ := strings.Cut(target, ".")
	c := call{operation: operation, service: map[string]string{"AmazonSQS": "sqs", "Kinesis_20131202": "kinesis"}[service]}

	var in struct{ QueueURL, QueueName, StreamName, StreamARN, ConsumerARN, SourceARN, ShardIterator string }
	_ = json.Unmarshal(body, &in) // the operation reports what is wrong
	switch {
	case in.QueueURL != "":
		c.resource = in.QueueURL[strings.LastIndexByte(in.QueueURL, '/')+1:]
	case in.ConsumerARN != "": // …:stream/NAME/consumer/NAME:TIME
		stream, _, _ := strings.Cut(in.ConsumerARN, "/consumer/")
		c.resource = last(stream)
	case in.ShardIterator != "" && in.StreamARN == "" && t.o.StreamOf != nil:
		c.resource = t.o.StreamOf(in.ShardIterator)
	default:
		c.resource = last(in.QueueName + in.StreamName + in.StreamARN + in.SourceARN)
	}
	return c
}

// last returns what follows the last : or / of an ARN; a name is returned as it is.
func last(arn string) string { return arn[strings.LastIndexAny(arn, ":/")+1:] }

func formCall(body []byte) call {
	form, _ := url.ParseQuery(string(body)) // the operation reports what is wrong
	c := call{service: "sns", operation: form.Get("Action"), query: true}
	if c.operation == "GetCallerIdentity" {
		c.service = "sts"
	}

	for _, name := range []string{"TopicArn", "TargetArn", "Name", "PhoneNumber", "SubscriptionArn"} {
		if v := form.Get(name); v != "" {
			if name == "SubscriptionArn" { // …:TOPIC:ID
				v = v[:max(0, strings.LastIndexByte(v, ':'))]
			}
			c.resource = last(v)
			break
		}
	}
	return c
}
