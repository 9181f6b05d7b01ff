package sqsworker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
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
)

// handle runs the handler over h and settles it. It says whether the next
// message of the same group may start.
func (w *Worker) handle(life context.Context, h *held) bool {
	w.handling.Add(1)
	defer w.handling.Add(-1)
	h.mu.Lock()
	h.stop = time.Now().Add(w.o.HandleWithin)
	h.mu.Unlock()
	ctx, cancel := context.WithDeadlineCause(h.ctx, h.stop, ErrTimeout)
	defer cancel()
	began := time.Now()
	r := Release()
	if !h.lost() { // while it waited for its group
		r = w.call(ctx, h.Message)
	}
	o := w.settle(life, h, r)
	took := time.Since(began)
	w.counts.add(o)
	w.o.Handled(h.Message, o, took)
	w.o.Log.Debug("message handled", "queue", w.o.Queue, "message_id", h.ID, "receives", h.Receives, "outcome", o, "took", took, "err", r.err)
	return o == OutcomeDone || o == OutcomeDead
}

func (w *Worker) call(ctx context.Context, m Message) (r Result) {
	defer func() {
		if p := recover(); p != nil {
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

func (w *Worker) settle(ctx context.Context, h *held, r Result) Outcome {
	defer w.letGo(h)
	if h.lost() {
		w.o.Log.Warn("visibility lost; the result is ignored and the message comes again", "queue", w.o.Queue, "message_id", h.ID, "result", r.outcome)
		return OutcomeLost
	}
	if r.outcome == OutcomeDead {
		if err := w.bury(ctx, h, r.err); err != nil {
			w.o.Log.Error("dead-letter failed; the message is retried", "queue", w.o.Queue, "message_id", h.ID, "err", err)
			r = RetryAfter(mistakeDelay, err)
		}
	}
	if r.outcome == OutcomeRetried && errors.Is(context.Cause(h.ctx), ErrDraining) {
		r = Release() // it was cut short, it did not fail
	}
	switch r.outcome {
	case OutcomeDone, OutcomeDead:
		if !w.deleted(ctx, h) {
			return OutcomeRepeats
		}
	case OutcomeRetried:
		w.o.Log.Warn("message is retried", "queue", w.o.Queue, "message_id", h.ID, "receives", h.Receives, "after", r.delay, "err", r.err)
		w.giveBack(ctx, r.delay, h)
	default:
		w.giveBack(ctx, 0, h)
	}
	return r.outcome
}

// giveBack makes messages visible again after d. Where the call fails, they
// come again when their visibility runs out. Lost ones are another's: an old
// receipt must not touch them.
func (w *Worker) giveBack(ctx context.Context, d time.Duration, given ...*held) {
	var hs []*held
	for _, h := range given {
		w.letGo(h)
		if !h.lost() {
			hs = append(hs, h)
		}
	}
	for len(hs) > 0 {
		n := min(len(hs), maxBatch)
		failed, err := w.changeVisibility(ctx, hs[:n], d)
		if err != nil || len(failed) > 0 {
			w.o.Log.Warn("messages could not be given back early", "queue", w.o.Queue, "messages", n, "failed", len(failed), "err", err)
		}
		hs = hs[n:]
	}
}

// bury sends h to the dead-letter queue, with its reason.
func (w *Worker) bury(ctx context.Context, h *held, reason error) error {
	if w.o.DeadLetterQueue == "" {
		return errors.New("sqsworker: there is no dead-letter queue")
	}
	ctx, cancel := context.WithTimeout(ctx, w.o.callWithin())
	defer cancel()
	url, err := w.dead.get(ctx)
	if err != nil {
		return err
	}
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(string(h.Body)), MessageAttributes: deadAttributes(h.Message, reason)}
	if strings.HasSuffix(w.o.DeadLetterQueue, fifoSuffix) {
		in.MessageGroupId, in.MessageDeduplicationId = &h.Group, &h.ID
	}
	if _, err := w.o.Client.SendMessage(ctx, in); err != nil {
		w.dead.forget(err)
		return fmt.Errorf("sqsworker: send to %s: %w", w.o.DeadLetterQueue, err)
	}
	return nil
}

func deadAttributes(m Message, reason error) map[string]types.MessageAttributeValue {
	text := "no reason given"
	if reason != nil {
		text = reasonText(reason.Error())
	}
	out := map[string]types.MessageAttributeValue{ReasonAttribute: stringAttribute(text)}
	for k, v := range m.Attributes {
		if _, taken := out[k]; !taken && len(out) < maxAttributes {
			out[k] = stringAttribute(v)
		}
	}
	return out
}

// reasonText leaves what SQS takes: valid characters, bounded, not empty.
func reasonText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == '\uffff' || r == '\ufffe' {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "")
	}
	if s == "" {
		return " "
	}
	return s
}

func stringAttribute(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(s)}
}
