package sqsworker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Client is the part of *sqs.Client that a Worker uses.
type Client interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Options says what to work on and how. Client, Queue and Handler are needed.
type Options struct {
	Client Client
	// Queue is its name or its URL. A URL needs no GetQueueUrl, and reaches a queue of
	// another account. With .fifo at the end groups keep their order.
	Queue   string
	Handler Handler
	// DeadLetterQueue is where DeadLetter sends, a name or a URL; without it such a
	// message is retried until the queue's redrive policy moves it.
	DeadLetterQueue string
	// Tries is how often a message is handled at most; 0: as often as the queue's
	// redrive policy allows. After the last try the worker itself sends the message to
	// DeadLetterQueue, with its reason. The queue's maxReceiveCount must be higher than
	// Tries, or SQS moves the message first, without a reason.
	Tries int
	// DeadLettered, where set, is called when SQS has acknowledged the copy on
	// DeadLetterQueue, and before the message is deleted. After a crash in between it
	// is called again, with another copy. ctx ends as a handler's does.
	DeadLettered func(ctx context.Context, m Message, reason string)

	// Needs are what the handlers need: while one of them is away, the worker
	// receives nothing, and Ready returns why.
	Needs []*Dependency

	MaxInFlight int // messages in flight at most; 0: 5
	BatchSize   int // messages a receive takes at most, 1 to 10; 0: 10
	// MaxPollers is how many receives may be under way at the same time, while messages
	// are waiting; 0: MaxInFlight/BatchSize, at least 1 and at most 5.
	MaxPollers int
	Visibility time.Duration // how long a message stays invisible without a heartbeat, whole seconds; 0: 30 s
	// VisibilitySetting names, for people, what sets the queue's visibility;
	// empty: its VisibilityTimeout.
	VisibilitySetting string
	HandleWithin      time.Duration // a handler's deadline; 0: 1 h. SQS keeps a message hidden for 12 h at most, whatever the heartbeats
	Wait              time.Duration // long poll, whole seconds; 0: 20 s
	// Linger is how long a delete waits for others, while handlers run whose deletes may
	// join it; a receive waits as long for the slots of deletes that are under way; 0: 10 ms.
	Linger time.Duration
	Drain  time.Duration // handlers may go on this long after Run's ctx ended; 0: 6 s

	Log     *slog.Logger // nil: silent
	Metrics Metrics      // nil: silent
	// Context, where set, is called before each call of the handler, and returns the ctx
	// that the handler, DeadLettered and Handled get: a trace begins a span here and ends
	// it in Handled. It must derive it from ctx. It is also called for a message whose
	// tries are over, but not for one that is released behind a FIFO group's first message.
	Context func(ctx context.Context, m Message) context.Context
	// Handled, where set, is called once after each call of Context, when the message is
	// settled, with the time since. ctx has the handler's values and does not end with it.
	Handled func(ctx context.Context, m Message, o Outcome, took time.Duration)
}

// Causes of a handler's ended ctx.
var (
	ErrLost     = errors.New("sqsworker: the message's visibility is running out")
	ErrTimeout  = errors.New("sqsworker: the handler is past its deadline")
	ErrDraining = errors.New("sqsworker: the worker is shutting down")
)

// maxPollers is the default's bound. At 5 and at 10 ms a call, eight handled no more
// than five.
const maxPollers = 5

// AWS's limits.
const (
	maxBatch      = 10
	maxVisibility = 12 * time.Hour
	maxWait       = 20 * time.Second
	maxReceives   = 1000 // the highest maxReceiveCount
)

func (o Options) withDefaults() (Options, error) {
	if o.Client == nil || o.Queue == "" || o.Handler == nil {
		return o, errors.New("sqsworker: Client, Queue and Handler are needed")
	}

	o.MaxInFlight = cmp.Or(o.MaxInFlight, 5)
	o.BatchSize = cmp.Or(o.BatchSize, maxBatch)
	o.MaxPollers = cmp.Or(o.MaxPollers, min(max(o.MaxInFlight/max(o.BatchSize, 1), 1), maxPollers))
	o.Visibility = cmp.Or(o.Visibility, 30*time.Second)
	o.VisibilitySetting = cmp.Or(o.VisibilitySetting, "its VisibilityTimeout")
	o.HandleWithin = cmp.Or(o.HandleWithin, time.Hour)
	o.Wait = cmp.Or(o.Wait, 20*time.Second)
	o.Linger = cmp.Or(o.Linger, 10*time.Millisecond)
	o.Drain = cmp.Or(o.Drain, 6*time.Second)
	o = o.withHooks()

	switch {
	case o.Visibility < 2*time.Second || o.Visibility > maxVisibility || o.Visibility%time.Second != 0:
		return o, wrong("Visibility", o.Visibility, "whole seconds from 2 s to 12 h")
	case o.Wait < time.Second || o.Wait > maxWait || o.Wait%time.Second != 0:
		return o, wrong("Wait", o.Wait, "whole seconds from 1 s to 20 s")
	case o.HandleWithin < 0:
		return o, wrong("HandleWithin", o.HandleWithin, positive)
	case o.Linger < 0:
		return o, wrong("Linger", o.Linger, positive)
	case o.Drain < 0:
		return o, wrong("Drain", o.Drain, positive)
	case o.Tries < 0 || o.Tries >= maxReceives:
		return o, wrong("Tries", o.Tries, fmt.Sprintf("0 to %d, below the highest maxReceiveCount that SQS has", maxReceives-1))
	case o.Tries > 0 && o.DeadLetterQueue == "":
		return o, wrong("Tries", o.Tries, "0 without a DeadLetterQueue to send a message to after them")
	case o.BatchSize < 1 || o.BatchSize > maxBatch:
		return o, wrong("BatchSize", o.BatchSize, "1 to 10")
	case o.MaxPollers < 1:
		return o, wrong("MaxPollers", o.MaxPollers, "1 or more")
	case o.MaxInFlight < 1:
		return o, wrong("MaxInFlight", o.MaxInFlight, "1 or more")
	}
	return o, nil
}

// withHooks fills in what does nothing for each hook that is not set.
func (o Options) withHooks() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.DeadLettered == nil {
		o.DeadLettered = func(context.Context, Message, string) {}
	}
	if o.Metrics == nil {
		o.Metrics = silent{}
	}
	if o.Context == nil {
		o.Context = func(ctx context.Context, _ Message) context.Context { return ctx }
	}
	if o.Handled == nil {
		o.Handled = func(context.Context, Message, Outcome, time.Duration) {}
	}
	return o
}

const positive = "above 0, or 0 for the default"

func wrong(option string, is any, allowed string) error {
	return fmt.Errorf("sqsworker: Options.%s is %v; allowed is %s", option, is, allowed)
}

// margin is how long before the end of its visibility a message counts as lost.
func (o Options) margin() time.Duration { return o.Visibility / 8 }

// callWithin bounds one call to SQS, the SDK's own retries included.
func (o Options) callWithin() time.Duration { return o.Visibility / 4 }
