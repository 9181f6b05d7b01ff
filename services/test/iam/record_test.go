package iam

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	emulated "tandem/emulator/kinesis"
	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
)

const (
	account   = ":us-east-1:000000000000:"
	theStream = "arn:aws:kinesis" + account + "stream/" + event.Stream
)

// recorder keeps what one service calls.
type recorder struct {
	mu    sync.Mutex
	seen  map[call]bool
	moves string // the queue whose move tasks were listed last
}

func (r *recorder) calls() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.seen))
}

// of returns cfg with its calls recorded.
func (r *recorder) of(cfg awsclient.Config) awsclient.Config {
	cfg.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		return transport(func(req *http.Request) (*http.Response, error) {
			c, err := read(req)
			if err != nil {
				return nil, err
			}
			r.mu.Lock()
			// A task is cancelled by its handle, right after it was listed.
			switch c.action {
			case "sqs:ListMessageMoveTasks":
				r.moves = c.resource
			case "sqs:CancelMessageMoveTask":
				c.resource = r.moves
			}
			r.seen[c] = true
			r.mu.Unlock()
			return next.RoundTrip(req)
		})
	}
	return cfg
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// read returns the action and the resource of a request. A batch needs the
// permission of its single action:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
func read(r *http.Request) (call, error) {
	var body []byte
	if r.GetBody != nil {
		b, err := r.GetBody()
		if err != nil {
			return call{}, err
		}
		if body, err = io.ReadAll(b); err != nil {
			return call{}, err
		}
	}

	service, operation, json := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !json {
		form, err := url.ParseQuery(string(body))
		return call{"sns:" + form.Get("Action"), form.Get("PhoneNumber") + form.Get("TopicArn") + form.Get("SubscriptionArn")}, err
	}

	resource, err := resourceOf(body)
	if service == "AmazonSQS" {
		return call{"sqs:" + strings.TrimSuffix(operation, "Batch"), "arn:aws:sqs" + account + resource}, err
	}
	switch {
	case strings.HasPrefix(resource, "arn:"):
	case resource != "":
		resource = "arn:aws:kinesis" + account + "stream/" + resource
	default:
		resource = theStream // a page of a list names none; only driver-locations can have one
	}
	return call{"kinesis:" + operation, resource}, err
}

func resourceOf(body []byte) (string, error) {
	var in struct{ QueueName, QueueURL, ConsumerARN, StreamARN, StreamName, ShardIterator, SourceArn string }
	err := json.Unmarshal(body, &in)
	if in.ShardIterator != "" {
		in.StreamName = emulated.StreamOf(in.ShardIterator)
	}
	if in.QueueURL != "" {
		in.QueueName = path.Base(in.QueueURL)
	}
	if in.SourceArn != "" {
		in.QueueName = in.SourceArn[strings.LastIndex(in.SourceArn, ":")+1:]
	}
	for _, name := range []string{in.QueueName, in.ConsumerARN, in.StreamARN, in.StreamName} {
		if name != "" {
			return name, err
		}
	}
	return "", err
}
