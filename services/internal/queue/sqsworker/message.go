package sqsworker

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Message is one message as a handler sees it.
type Message struct {
	ID         string // SQS's MessageId: for logs; deduplicate by an id of your own in Body
	Group      string // MessageGroupId, empty where there is none
	Body       []byte
	Attributes map[string]string // the text of a String or a Number, the bytes of a Binary
	// TraceHeader is the system attribute AWSTraceHeader, which AWS X-Ray writes; empty
	// where the sender set none.
	TraceHeader string
	Receives    int // this receive included
	SentAt      time.Time
}

// Handler handles one message. It is called from many goroutines concurrently.
type Handler interface {
	// Handle must return soon after ctx ends. Its result is ignored if
	// context.Cause(ctx) is ErrLost.
	Handle(ctx context.Context, m Message) Result
}

// HandlerFunc makes a function a Handler.
type HandlerFunc func(ctx context.Context, m Message) Result

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, m Message) Result { return f(ctx, m) }

// Result says how to settle a message. Done, RetryAfter, DeadLetter and Release
// return one. The zero Result is a handler's mistake; the message is retried.
type Result struct {
	outcome Outcome
	delay   time.Duration
	err     error
}

// Done deletes the message.
func Done() Result { return Result{outcome: OutcomeDone} }

// RetryAfter makes the message visible again after d, rounded up to a second; err
// says why. SQS hides a message for 12 hours at most, counted from its receive, so a
// longer d ends then.
func RetryAfter(d time.Duration, err error) Result {
	return Result{outcome: OutcomeRetried, delay: d, err: err}
}

// DeadLetter moves the message to the dead-letter queue; err is its reason.
func DeadLetter(err error) Result { return Result{outcome: OutcomeDead, err: err} }

// Release makes the message visible again at once.
func Release() Result { return Result{outcome: OutcomeReleased} }

// Outcome is what r asks for; empty for the zero Result.
func (r Result) Outcome() Outcome { return r.outcome }

// Err is the reason that RetryAfter or DeadLetter was called with.
func (r Result) Err() error { return r.err }

// Outcome is what became of a message.
type Outcome string

// The outcomes.
const (
	OutcomeDone     Outcome = "done"     // deleted
	OutcomeRetried  Outcome = "retried"  // visible again after a delay
	OutcomeDead     Outcome = "dead"     // sent to the dead-letter queue, deleted
	OutcomeReleased Outcome = "released" // visible again at once
	OutcomeLost     Outcome = "lost"     // its visibility ran out: the result was ignored
	OutcomeRepeats  Outcome = "repeats"  // done or dead, but the delete failed: the message comes again
)

// traceHeader is the only system attribute that a sender may set.
const traceHeader = string(types.MessageSystemAttributeNameAWSTraceHeader)

func newMessage(m types.Message) Message {
	out := Message{ID: aws.ToString(m.MessageId), Body: []byte(aws.ToString(m.Body))}
	out.Group = m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]
	out.TraceHeader = m.Attributes[traceHeader]

	// SQS sends both numbers in every answer. If one cannot be read, it stays zero,
	// which means unknown.
	out.Receives, _ = strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if ms, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64); err == nil {
		out.SentAt = time.UnixMilli(ms).UTC()
	}

	if len(m.MessageAttributes) > 0 {
		out.Attributes = make(map[string]string, len(m.MessageAttributes))
	}

	for k, v := range m.MessageAttributes {
		// A Number travels as text as well. Only a Binary has no StringValue.
		if v.StringValue != nil {
			out.Attributes[k] = *v.StringValue
		} else {
			out.Attributes[k] = string(v.BinaryValue)
		}
	}
	return out
}
