package sqsworker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// ReasonAttribute is the message attribute that says why a message was sent to
// the dead-letter queue.
const ReasonAttribute = "DeadLetterReason"

const (
	mistakeDelay  = 5 * time.Second // after a panic or a zero Result
	maxReason     = 1024            // bytes
	maxAttributes = 10              // of one message
	// maxSize is the largest message that SQS takes: its body, and the names, types and
	// values of its attributes.
	maxSize = 1 << 20
)

// handle runs the handler over f and settles it. It reports whether the next
// message of the same group may start.
func (w *Worker) handle(life context.Context, f *inFlight) bool {
	w.handling.Add(1)
	defer w.handling.Add(-1)

	began := time.Now()
	f.mu.Lock()
	f.deadline = began.Add(w.o.HandleWithin)
	f.mu.Unlock()
	own := w.o.Context(f.ctx, f.Message)
	ctx, cancel := context.WithDeadlineCause(own, f.deadline, ErrTimeout)
	defer cancel()

	r := w.decide(ctx, f)
	ran := time.Since(began)

	// Settled with life, not with ctx: what the handler has done must be deleted
	// also when the handler's time is over or the worker is stopping.
	o := w.settle(life, own, f, r)

	took := time.Since(began)
	w.counts.add(o)
	w.o.Metrics.Handled(o, ran)
	w.o.Handled(context.WithoutCancel(own), f.Message, o, took)
	w.o.Log.Debug("message handled", "queue", w.o.Queue, "message_id", f.ID, "receives", f.Receives, "outcome", o, "took", took, "err", r.err)
	return o == OutcomeDone || o == OutcomeDead
}

// decide returns what is to become of f. That is what the handler says, unless f
// has had its tries or the handler was cut short.
func (w *Worker) decide(ctx context.Context, f *inFlight) Result {
	switch {
	case f.lost(): // while it waited for its group
		return Release()
	case w.o.Tries > 0 && f.Receives > w.o.Tries:
		// The handler is not called: it may be what ended the workers before this one,
		// and then nobody would be left to write the reason.
		return DeadLetter(fmt.Errorf("received %d times without a result: each worker died or hung, or gave the message back", f.Receives-1))
	}

	r := w.call(ctx, f.Message)
	failed := r.outcome == OutcomeRetried || r.outcome == OutcomeDead
	switch {
	case failed && errors.Is(context.Cause(f.ctx), ErrDraining):
		// A handler that was cut short has not failed: another worker need not wait, and
		// what its error says is no reason for a dead letter.
		return Release()
	case r.outcome == OutcomeRetried && w.o.Tries > 0 && f.Receives >= w.o.Tries:
		return DeadLetter(fmt.Errorf("try %d of %d: %s", f.Receives, w.o.Tries, reasonText(r.err)))
	}
	return r
}

// call runs the handler and turns its mistakes into a retry.
func (w *Worker) call(ctx context.Context, m Message) (r Result) {
	// One message that makes the handler panic must not end the handlers of all
	// others, which run in this process too.
	defer func() {
		if p := recover(); p != nil {
			w.o.Metrics.Panicked()
			w.o.Log.Error("handler panicked", "queue", w.o.Queue, "message_id", m.ID, "panic", p, "stack", string(debug.Stack()))
			r = RetryAfter(mistakeDelay, fmt.Errorf("sqsworker: handler panicked: %v", p))
		}
	}()

	r = w.o.Handler.Handle(ctx, m)
	if r.outcome == "" {
		return RetryAfter(mistakeDelay, errors.New("sqsworker: the handler returned the zero Result"))
	}
	return r
}

// settle does with f what r asks for and returns what became of it. own is f's ctx
// with what Options.Context added.
func (w *Worker) settle(ctx, own context.Context, f *inFlight, r Result) Outcome {
	defer w.untrack(f)

	// Another worker may have the message. To delete it now would take it away
	// from a handler that may still fail.
	if f.lost() {
		w.o.Log.Warn("visibility lost: another worker may have the message; the result is ignored", "queue", w.o.Queue, "message_id", f.ID, "result", r.outcome)
		return OutcomeLost
	}

	//excerpt:delete
	// The copy first, then the delete: a crash in between leaves two messages,
	// the other order would leave none.
	if r.outcome == OutcomeDead {
		reason := reasonText(r.err)
		if err := w.deadLetter(ctx, own, f, reason); err != nil {
			w.o.Log.Error("dead-letter failed; the message is retried", "queue", w.o.Queue, "message_id", f.ID, "err", err)
			r = RetryAfter(mistakeDelay, err)
		} else {
			w.o.DeadLettered(own, f.Message, reason)
		}
	}

	switch r.outcome {
	case OutcomeDone, OutcomeDead:
		// The work is committed, or the copy acknowledged: only now is it safe to
		// delete.
		if !w.deleted(ctx, f) {
			return OutcomeRepeats
		}
	case OutcomeRetried:
		w.o.Log.Warn("message is retried", "queue", w.o.Queue, "message_id", f.ID, "receives", f.Receives, "after", r.delay, "err", r.err)
		w.makeVisible(ctx, r.delay, f)
	default:
		w.makeVisible(ctx, 0, f)
	}
	//excerpt:end
	return r.outcome
}

// deadLetter sends a copy of f to the dead-letter queue, with the reason.
func (w *Worker) deadLetter(life, own context.Context, f *inFlight, reason string) error {
	if w.o.DeadLetterQueue == "" {
		return errors.New("sqsworker: there is no dead-letter queue")
	}

	// The values are f's, so that the send is seen in its trace; but it ends with life,
	// because f's time may be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(own), w.o.callWithin())
	defer cancel()
	defer context.AfterFunc(life, cancel)()

	url, err := w.dead.get(ctx)
	if err != nil {
		return err
	}

	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(string(f.Body)), MessageAttributes: deadAttributes(f.Body, f.raw, reason)}
	if f.Group != "" {
		in.MessageGroupId = &f.Group // on a standard queue too: fair queues have groups
	}

	if strings.HasSuffix(w.o.DeadLetterQueue, fifoSuffix) {
		// The message's own id: a copy that is sent twice within five minutes
		// arrives once.
		in.MessageDeduplicationId = &f.ID
	}

	if f.TraceHeader != "" {
		in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			traceHeader: {DataType: aws.String("String"), StringValue: &f.TraceHeader},
		}
	}

	if _, err := w.o.Client.SendMessage(ctx, in); err != nil {
		w.dead.forget(err)
		return fmt.Errorf("sqsworker: send to %s: %w", w.o.DeadLetterQueue, err)
	}
	return nil
}

// deadAttributes are the reason and as many of the message's own attributes as
// there is room for, in number and in bytes.
func deadAttributes(body []byte, own map[string]types.MessageAttributeValue, reason string) map[string]types.MessageAttributeValue {
	out, room := map[string]types.MessageAttributeValue{}, maxSize-len(body)
	add := func(name string, v types.MessageAttributeValue) {
		if n := attributeSize(name, v); n <= room && len(out) < maxAttributes {
			out[name], room = v, room-n
		}
	}

	// The reason comes first, cut short beside a body that leaves it little room: SQS
	// refuses a message that is too large, and then nobody would learn why it is here.
	// Without room for a character of it the body goes alone.
	reason = cut(reason, room-attributeSize(ReasonAttribute, stringAttribute("")))
	if reason != "" {
		add(ReasonAttribute, stringAttribute(reason))
	}

	// Then by name, so that each copy of a message leaves out the same ones.
	for _, k := range slices.Sorted(maps.Keys(own)) {
		if k != ReasonAttribute {
			add(k, own[k])
		}
	}
	return out
}

// attributeSize is what an attribute counts towards maxSize.
func attributeSize(name string, v types.MessageAttributeValue) int {
	return len(name) + len(aws.ToString(v.DataType)) + len(aws.ToString(v.StringValue)) + len(v.BinaryValue)
}

// cut returns at most so many bytes of s, and ends at a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:max(most, 0)], "")
}

// reasonText makes a reason an attribute that SQS takes: valid characters, not too
// long and not empty. SQS would refuse the whole message otherwise.
func reasonText(reason error) string {
	if reason == nil {
		return "no reason given"
	}

	s := strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == '\uffff' || r == '\ufffe' {
			return ' '
		}
		return r
	}, reason.Error())

	if s == "" {
		return " "
	}
	return cut(s, maxReason)
}

func stringAttribute(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(s)}
}
