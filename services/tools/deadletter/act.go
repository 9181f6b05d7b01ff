package deadletter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"tandem/services/internal/problem"
	"tandem/services/internal/queue/sqsworker"
)

// Redrive sends one dead letter back to where it came from, at least once, and
// returns the act.
func (t *Tool) Redrive(ctx context.Context, place, id string, by By) (Act, error) {
	if place == Outbox {
		return t.sendAgain(ctx, id, by)
	}
	return t.actOn(ctx, ActRedrive, place, id, by, func(ctx context.Context, l *look, m types.Message) (outcome, result string, err error) {
		sent, err := t.sendBack(ctx, l.queue, m)
		if err != nil {
			l.release(ctx)
			if refused(err) {
				return OutcomeFailed, "SQS refused the copy: it is a dead letter as before", err
			}
			return OutcomeUnknown, "no answer to the send: it is a dead letter as before, and a copy may be in " + l.queue.source, err
		}

		// Only now: the copy is acknowledged. If this fails there are two of them, and
		// the worker finds that its work is done.
		result = fmt.Sprintf("sent to %s as %s", l.queue.source, sent)
		if l.delete(ctx, m) != nil {
			result += "; the delete failed, so it is a dead letter as well"
		}
		return OutcomeDone, result, nil
	})
}

// Discard deletes one dead letter and returns the act. By must say why.
func (t *Tool) Discard(ctx context.Context, place, id string, by By) (Act, error) {
	if place == Outbox {
		return t.discardOutbox(ctx, id, by)
	}
	return t.actOn(ctx, ActDiscard, place, id, by, func(ctx context.Context, l *look, m types.Message) (outcome, result string, err error) {
		err = l.delete(ctx, m)
		switch {
		case refused(err):
			l.release(ctx)
			return OutcomeFailed, "SQS refused the delete: it is a dead letter as before", err
		case err != nil:
			return OutcomeUnknown, "no answer to the delete: look whether it is still there", err
		}
		return OutcomeDone, "deleted", nil
	})
}

// actOn finds a message, writes what is about to be done, does it, and writes what
// became of it.
func (t *Tool) actOn(ctx context.Context, act, place, id string, by By,
	do func(context.Context, *look, types.Message) (outcome, result string, err error)) (Act, error) {
	if err := by.Check(act); err != nil {
		return Act{}, err
	}
	q, err := t.queue(place)
	if err != nil {
		return Act{}, err
	}

	q.using.Lock()
	defer q.using.Unlock()

	l, m, err := t.find(ctx, q, id)
	if err != nil {
		return Act{}, err
	}

	// From here on it is finished although the caller has left; and before the message
	// is visible again, when it would be somebody else's to act on.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), l.since.Add(t.o.Hold-t.o.Hold/8))
	defer cancel()

	letter := letterOf(q, m)
	t.tell(ctx, &letter, text(m.Body))

	// Before the act: should this process die in it, the table has not missed it.
	n, err := intend(ctx, t.o.Pool, act, by, letter)
	if err != nil {
		l.release(ctx)
		return Act{}, err
	}

	outcome, result, failure := do(ctx, l, m)
	return t.concluded(ctx, n, act, letter, by, outcome, result, failure)
}

// concluded writes an act's outcome, which SQS has already seen, and returns the act.
func (t *Tool) concluded(ctx context.Context, id int64, act string, l Letter, by By, outcome, result string, failure error) (Act, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()

	t.o.Log.Info("dead letter", "act", act, "by", by.Who, "verified", by.Verified, "place", l.Place, "message_id", l.ID,
		"why", by.Why, "outcome", outcome, "result", result, "err", failure)
	out := actOf(id, act, l, by)
	out.Outcome, out.Result = outcome, result

	if err := conclude(ctx, t.o.Pool, id, outcome, result); err != nil {
		// It has happened, so this is not the act's failure: the table says that it began.
		t.o.Log.Error("an act's outcome is not written down", "id", id, "outcome", outcome, "err", err)
	} else {
		out.EndedAt = new(time.Now().UTC())
	}

	if failure != nil {
		return out, problem.Wrap(failure, problem.Unavailable, "It was not done: %s. Try again.", result)
	}
	return out, nil
}

func actOf(id int64, act string, l Letter, by By) Act {
	out := Act{ID: id, At: time.Now().UTC(), Who: by.Who, Verified: by.Verified, Act: act, Place: l.Place, MessageID: l.ID, Why: by.Why, Reason: l.Reason}
	if l.Ride != nil {
		out.RideID = l.Ride.ID
	}
	return out
}

// sendBack sends a copy to the queue that a message came from.
func (t *Tool) sendBack(ctx context.Context, q *queue, m types.Message) (id string, err error) {
	url, err := t.url(ctx, q.source)
	if err != nil {
		return "", err
	}

	// The reason is not the copy's: if SQS itself moved it the next time, it would
	// have an old one. It is kept with the act.
	attributes := maps.Clone(m.MessageAttributes)
	delete(attributes, sqsworker.ReasonAttribute)
	in := &sqs.SendMessageInput{QueueUrl: url, MessageBody: m.Body, MessageAttributes: attributes}

	// On a standard queue too: fair queues have groups.
	if group, ok := m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]; ok {
		in.MessageGroupId = &group
	}

	if q.fifo() {
		// Not the id under which it was first sent: within five minutes SQS would
		// acknowledge the copy and drop it.
		in.MessageDeduplicationId = m.MessageId
	}

	if trace, ok := m.Attributes[string(types.MessageSystemAttributeNameAWSTraceHeader)]; ok {
		in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {DataType: new("String"), StringValue: &trace},
		}
	}

	out, err := t.o.Client.SendMessage(ctx, in)
	if err != nil {
		return "", fmt.Errorf("deadletter: send to %s: %w", q.source, err)
	}
	return text(out.MessageId), nil
}

// delete deletes a message of the look.
func (l *look) delete(ctx context.Context, m types.Message) error {
	_, err := l.t.o.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: l.url, ReceiptHandle: m.ReceiptHandle})
	if err != nil {
		return fmt.Errorf("deadletter: delete from %s: %w", l.queue.name, err)
	}
	return nil
}

// refused reports whether SQS has answered that it did not do it. Of any other failure
// nobody knows whether it was done.
func refused(err error) bool {
	var p *problem.Error
	var api smithy.APIError
	return errors.As(err, &p) || errors.As(err, &api) && api.ErrorFault() == smithy.FaultClient
}
