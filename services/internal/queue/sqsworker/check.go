package sqsworker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// SetupError is an error that says, in one sentence for a person, how the queue is
// set up otherwise than the worker needs it.
type SetupError struct {
	sentence string
	err      error // what SQS said, if anything
}

func (m *SetupError) Error() string { return "sqsworker: " + m.sentence }

func (m *SetupError) Unwrap() error { return m.err }

// Advice is the sentence by itself: it names queues and settings, nothing that
// must be kept from anybody.
func (m *SetupError) Advice() string { return m.sentence }

func setupError(format string, args ...any) error {
	return &SetupError{sentence: fmt.Sprintf(format, args...)}
}

// checkWithin bounds one look at the queue.
const checkWithin = 5 * time.Second

// Check asks SQS whether the queue is there and set up as the worker needs it.
// What is not is a *SetupError; another error is SQS's own.
func (w *Worker) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	url, err := w.queue.find(ctx)
	if err != nil {
		return err
	}
	out, err := w.o.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameVisibilityTimeout, types.QueueAttributeNameRedrivePolicy,
	}})
	if err != nil {
		w.queue.forget(err)
		return fmt.Errorf("sqsworker: attributes of %s: %w", w.o.Queue, err)
	}
	target, err := w.o.fits(out.Attributes)
	if err != nil || target == "" {
		return err
	}
	// A redrive policy may name a queue that was deleted: SQS does not mind.
	_, err = (&queueURL{client: w.o.Client, name: target}).find(ctx)
	return err
}

// fits compares a queue's attributes with what the worker was made for and
// gives the name of the queue that its dead letters go to; empty: none.
func (o Options) fits(attributes map[string]string) (target string, err error) {
	has, err := strconv.Atoi(attributes[string(types.QueueAttributeNameVisibilityTimeout)])
	if err != nil {
		return "", fmt.Errorf("sqsworker: queue %s: SQS does not tell its visibility: %w", o.Queue, err)
	}
	if need := seconds(o.Visibility); has < int(need) {
		return "", setupError("queue %s has a visibility of %d s, and this worker needs at least %d s: set %s to %d", o.Queue, has, need, o.VisibilitySetting, need)
	}
	var policy struct {
		Target string          `json:"deadLetterTargetArn"`
		Max    json.RawMessage `json:"maxReceiveCount"` // a number, or a string of one
	}
	if raw := attributes[string(types.QueueAttributeNameRedrivePolicy)]; raw != "" {
		if err := json.Unmarshal([]byte(raw), &policy); err != nil {
			return "", fmt.Errorf("sqsworker: redrive policy of %s: %w", o.Queue, err)
		}
		target = policy.Target[strings.LastIndex(policy.Target, ":")+1:]
	}
	if o.DeadLetterQueue != "" && target != o.DeadLetterQueue {
		if target == "" {
			return "", setupError("queue %s has no redrive policy, so a message that ends every worker comes for ever: give it one to %s", o.Queue, o.DeadLetterQueue)
		}
		return "", setupError("queue %s sends its dead letters to %s, and this worker sends them to %s: name one queue in both", o.Queue, target, o.DeadLetterQueue)
	}
	if maxReceiveCount := strings.Trim(string(policy.Max), `"`); o.MaxReceiveCount != 0 && maxReceiveCount != strconv.Itoa(o.MaxReceiveCount) {
		return "", setupError("queue %s has a maxReceiveCount of %s, and this worker takes receive %d for the last: set it to %d", o.Queue, orNone(maxReceiveCount), o.MaxReceiveCount, o.MaxReceiveCount)
	}
	return target, nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// awaitFit checks until the queue fits; false: ctx has ended. Each new reason
// is logged once.
func (w *Worker) awaitFit(ctx context.Context) bool {
	retry := newBackoff()
	for told := ""; ; {
		err := w.Check(ctx)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			if told != "" {
				w.o.Log.Info("the queue is as this worker needs it", "queue", w.o.Queue)
			}
			return true
		}
		w.setReady(err)
		var wrong *SetupError
		switch {
		case !errors.As(err, &wrong):
			w.o.Log.Warn("the queue cannot be looked at; trying again", "queue", w.o.Queue, "err", err)
		case wrong.sentence != told:
			told = wrong.sentence
			w.o.Log.Error("the queue is not as this worker needs it; no message is taken until it is", "queue", w.o.Queue, "err", err)
		}
		if !pause(ctx, retry.NextBackOff()) {
			return false
		}
	}
}
