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
	"github.com/aws/smithy-go"
)

// SetupError says, in one sentence for a person, what about the queue is not as
// the worker needs it.
type SetupError struct {
	sentence string
	err      error // what SQS said, if anything
}

func (e *SetupError) Error() string { return "sqsworker: " + e.sentence }

func (e *SetupError) Unwrap() error { return e.err }

// Advice is the sentence alone. It names queues and settings and no secret, so
// that it may be shown to anybody.
func (e *SetupError) Advice() string { return e.sentence }

func setupError(format string, args ...any) error {
	return &SetupError{sentence: fmt.Sprintf(format, args...)}
}

// checkWithin bounds one Check.
const checkWithin = 5 * time.Second

// Check asks SQS whether the queue exists and is set up as the worker needs it.
// If not, the error is a *SetupError; any other error is SQS's own. Where
// GetQueueAttributes is not permitted, that is logged once, and Check returns nil.
func (w *Worker) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()

	has, err := w.attributes(ctx, w.queue)
	if err != nil || has == nil {
		return err
	}

	target, err := w.o.compare(has)
	if err != nil || target == "" {
		return err
	}

	// SQS keeps a redrive policy that names a deleted queue, so the policy does
	// not prove that the dead-letter queue exists.
	switch {
	case w.dead.given: // the URL alone proves nothing
		_, err = w.attributes(ctx, w.dead)
	case w.o.DeadLetterQueue != "":
		_, err = w.dead.find(ctx)
	case !w.queue.given:
		_, err = newQueueURL(w.o.Client, target).find(ctx)
	}
	return err
}

// attributes returns what the worker compares of a queue's settings, or nil if it may
// not know: a program's permissions are no fault of the queue.
func (w *Worker) attributes(ctx context.Context, q *queueURL) (map[string]string, error) {
	url, err := q.find(ctx)
	if err != nil {
		return nil, err
	}

	out, err := w.o.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameVisibilityTimeout, types.QueueAttributeNameRedrivePolicy,
	}})
	switch {
	case isDenied(err):
		w.warnOnce("sqs:GetQueueAttributes is not permitted: whether the queue exists, its visibility, and its redrive policy are not checked", "queue", q.name)
		return nil, nil
	case err != nil:
		return nil, q.explain("attributes of", err)
	}
	return out.Attributes, nil
}

// isDenied reports whether a policy forbids the call. The first code is the one of
// SQS's query protocol, whose codes the SDK keeps; the second is the JSON protocol's.
func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (api.ErrorCode() == "AccessDenied" || api.ErrorCode() == "AccessDeniedException")
}

// warnOnce logs a warning, unless this worker has logged it about the same queue.
func (w *Worker) warnOnce(text string, args ...any) {
	key := text + fmt.Sprint(args...)
	w.mu.Lock()
	before := w.warned[key]
	w.warned[key] = true
	w.mu.Unlock()

	if !before {
		w.o.Log.Warn(text, args...)
	}
}

// compare compares a queue's attributes with the options. It returns the name of
// the queue that the redrive policy moves messages to, or "" without a policy.
func (o Options) compare(attributes map[string]string) (target string, err error) {
	has, err := strconv.Atoi(attributes[string(types.QueueAttributeNameVisibilityTimeout)])
	if err != nil {
		return "", fmt.Errorf("sqsworker: queue %s: SQS does not tell its visibility: %w", o.Queue, err)
	}

	// Each receive names its own visibility, so this worker would do without it. But
	// then queue and worker were configured apart, and others receive with too little.
	if need := seconds(o.Visibility); has < int(need) {
		return "", setupError("queue %s has a visibility of %d s, and this worker needs at least %d s: set %s to %d", o.Queue, has, need, o.VisibilitySetting, need)
	}

	target, maxReceiveCount, err := readRedrivePolicy(attributes[string(types.QueueAttributeNameRedrivePolicy)])
	if err != nil {
		return "", fmt.Errorf("sqsworker: redrive policy of %s: %w", o.Queue, err)
	}

	if o.DeadLetterQueue != "" && target != o.DeadLetterQueue {
		if target == "" {
			return "", setupError("queue %s has no redrive policy, so a message that ends every worker comes for ever: give it one to %s", o.Queue, o.DeadLetterQueue)
		}
		return "", setupError("queue %s sends its dead letters to %s, and this worker sends them to %s: name one queue in both", o.Queue, target, o.DeadLetterQueue)
	}

	// At an equal count SQS would move the message whose workers died, without a
	// reason, and no worker would see it any more.
	if o.Tries > 0 && maxReceiveCount <= o.Tries {
		return "", setupError("queue %s has a maxReceiveCount of %d, and this worker handles a message up to %d times and then needs a receive to write why: set it to more than %d", o.Queue, maxReceiveCount, o.Tries, o.Tries)
	}
	return target, nil
}

// readRedrivePolicy returns the dead-letter queue's name and the maxReceiveCount
// of a redrive policy; they are empty and 0 without a policy.
func readRedrivePolicy(policy string) (target string, maxReceiveCount int, err error) {
	if policy == "" {
		return "", 0, nil
	}

	var p struct {
		Target          string          `json:"deadLetterTargetArn"`
		MaxReceiveCount json.RawMessage `json:"maxReceiveCount"` // a number, or a string of one: SQS takes both
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return "", 0, err
	}

	maxReceiveCount, err = strconv.Atoi(strings.Trim(string(p.MaxReceiveCount), `"`))
	return p.Target[strings.LastIndex(p.Target, ":")+1:], maxReceiveCount, err
}

// awaitSetup checks until the queue is set up as the worker needs it, and reports
// whether it is; false: ctx has ended. Each new reason is logged once.
func (w *Worker) awaitSetup(ctx context.Context) bool {
	retry := newBackoff()
	for reported := ""; ; {
		err := w.Check(ctx)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			if reported != "" {
				w.o.Log.Info("the queue is as this worker needs it", "queue", w.o.Queue)
			}
			return true
		}

		// An error that only a person can put right is logged as an error, but once: it
		// stays the same until somebody changes the queue.
		w.setReady(err)
		var wrong *SetupError
		switch {
		case !errors.As(err, &wrong):
			w.o.Log.Warn("the queue cannot be checked; trying again", "queue", w.o.Queue, "err", err)
		case wrong.sentence != reported:
			reported = wrong.sentence
			w.o.Log.Error("the queue is not as this worker needs it; no message is taken until it is", "queue", w.o.Queue, "err", err)
		}

		if !pause(ctx, retry.NextBackOff()) {
			return false
		}
	}
}
