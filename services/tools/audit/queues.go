package audit

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"tandem/services/domain/event"
	"tandem/services/internal/queue/sqsworker"
)

// settleWithin is how long the last deletes may take at rest.
const settleWithin = 3 * time.Second

// queues: every dead letter has its reason, and at rest the queues are empty.
// The other counts are shown alone: a queue may deliver twice.
func (a *auditor) queues(ctx context.Context) error {
	f := newFinding(9, "queues")
	for _, queue := range []string{event.QueueRideRequests, event.QueueNotifications} {
		n, err := a.depth(ctx, queue)
		if err != nil {
			return err
		}
		f.count(queue, n)
		if a.cfg.AtRest && n > 0 {
			f.broken("%s has %d messages at rest", queue, n)
		}
	}

	for _, queue := range []string{event.QueueRideRequestsDead, event.QueueNotificationsDead} {
		dead, err := a.out.Dead(ctx, queue)
		if err != nil {
			return err
		}
		f.count("dead", dead.count)
		for _, m := range dead.messages {
			if err := a.checkReason(ctx, f, queue, m); err != nil {
				return err
			}
		}
	}

	n := f.check.Counts
	a.report.add(f.done("%d ride requests and %d notifications on their queues; %d dead letters, each with its reason",
		n[event.QueueRideRequests], n[event.QueueNotifications], n["dead"]))
	return nil
}

// depth counts a queue's messages; at rest it waits a moment for the last deletes.
func (a *auditor) depth(ctx context.Context, queue string) (int64, error) {
	for began := time.Now(); ; {
		n, err := a.out.Depth(ctx, queue)
		if err != nil || n == 0 || !a.cfg.AtRest || time.Since(began) > settleWithin {
			return n, err
		}
		if err := pause(ctx, lookEvery); err != nil {
			return n, err
		}
	}
}

// checkReason wants a reason on the message, where the worker wrote it, or in the
// events of its ride: SQS itself moves a message without any.
func (a *auditor) checkReason(ctx context.Context, f *finding, queue string, m peeked) error {
	if m.attribute(sqsworker.ReasonAttribute) != "" {
		return nil
	}

	reason, err := a.reasonOf(ctx, m.Body)
	if err == nil && reason == "" {
		f.broken("dead letter %s on %s has no reason", m.MessageID, queue)
	}
	return err
}

// reasonOf asks the ride that the message is about; a message that is about
// none has no reason there.
func (a *auditor) reasonOf(ctx context.Context, body string) (string, error) {
	var req event.RideRequest
	e, err := event.Decode([]byte(body))
	if err == nil && e.Type == event.TypeRideRequest && json.Unmarshal(e.Data, &req) == nil && uuid.Validate(req.RideID) == nil {
		return a.deadLetterReason(ctx, req.RideID)
	}
	return "", nil
}
