package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"tandem/services/domain/event"
	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/sqsworker"
)

// smsSender sends one text. Its error wraps errNeverDelivered if another try cannot
// succeed.
type smsSender interface {
	Send(ctx context.Context, to phone, text string) (messageID string, err error)
}

var errNeverDelivered = errors.New("the number cannot get this text")

type handler struct {
	store *store
	sms   smsSender
	pace  *rate.Limiter // of texts, in this process
	claim time.Duration // a worker that has claimed an SMS may send it for this long
	lab   *lab
	log   *slog.Logger

	notSent prometheus.Counter // texts beyond a rider's cap

	// That one of these is away is no failure of a message.
	sns, postgres *sqsworker.Dependency
}

// newDependencies returns what a handler needs.
func newDependencies() (sms, database *sqsworker.Dependency) {
	return &sqsworker.Dependency{Name: "sns", Away: func(err error) bool { return !errors.Is(err, errNeverDelivered) }},
		&sqsworker.Dependency{Name: "postgres", Away: func(err error) bool { return !errors.Is(err, errSMS) && postgres.Away(err) }}
}

// errSMS is wrapped by every error of sending an SMS.
var errSMS = errors.New("notification: sms")

// notice is one event that the rider is told of.
type notice struct {
	event.RideNotice
	EventID string
	Kind    string
	At      time.Time
}

// handle is the worker's handler.
func (h *handler) handle(ctx context.Context, m sqsworker.Message) sqsworker.Result {
	n, err := decode(m.Body)
	if err != nil {
		return sqsworker.DeadLetter(err) // another try would read it no better
	}

	err = h.postgres.Do(ctx, func(ctx context.Context) error { return h.deliver(ctx, n) })
	switch {
	case err == nil:
		// Each channel's delivery is committed, and a repeat would change nothing.
		return sqsworker.Done()
	case ctx.Err() != nil:
		// The worker stops, or has lost the message. That is no failure of the message:
		// another worker may take it at once.
		return sqsworker.Release()
	}
	return sqsworker.RetryAfter(time.Second<<min(m.Receives, event.Tries), err)
}

func decode(body []byte) (notice, error) {
	e, err := event.Decode(body)
	if err != nil {
		return notice{}, err
	}

	kind, ok := kinds()[e.Type]
	if !ok {
		return notice{}, fmt.Errorf("notification: unknown event type %q", e.Type)
	}

	n := notice{EventID: e.ID, Kind: kind, At: e.At}
	if err := json.Unmarshal(e.Data, &n.RideNotice); err != nil {
		return notice{}, fmt.Errorf("notification: %s: %w", e.Type, err)
	}

	if n.RiderID == "" || uuid.Validate(n.RideID) != nil || uuid.Validate(n.EventID) != nil {
		return notice{}, fmt.Errorf("notification: %s %q of ride %q, rider %q: an id is missing or malformed", e.Type, e.ID, n.RideID, n.RiderID)
	}
	return n, nil
}

// deliver returns nil once the notice is on every channel that the rider had when
// its message first came.
func (h *handler) deliver(ctx context.Context, n notice) error {
	sms, err := h.store.putInbox(ctx, n)
	switch {
	case err != nil || sms == textNone:
		return err
	case sms == textCapped:
		h.notSent.Inc()
		h.log.Warn("sms not sent: the rider has had enough today", "event_id", n.EventID, "ride_id", n.RideID, "cap", smsPerRider)
		return nil // the inbox has the notice
	}

	// Waited for before the claim: a claim that waits may grow old, and another worker
	// would send the same text.
	if err := h.pace.Wait(ctx); err != nil {
		return fmt.Errorf("notification: the rate of texts: %w", err)
	}

	// Claimed before the send, so that two workers do not both send it.
	c, err := h.store.claimSMS(ctx, n.EventID, h.claim)
	if err != nil {
		return err
	}

	if c.state == claimNothing {
		return h.lab.sendAgain(ctx, h, n)
	}

	if c.state == claimOthers {
		// That worker may have died: the retry finds the SMS sent, or the claim old.
		return errors.New("notification: another worker is sending this SMS")
	}

	var id string
	err = h.sns.Do(ctx, func(ctx context.Context) (err error) {
		id, err = h.sms.Send(ctx, c.to, text(c.language, n))
		return err
	})

	switch {
	case errors.Is(err, errNeverDelivered):
		// Not retried, and so no failure of the message: the inbox has the notice.
		h.log.Warn("sms refused for good", "event_id", n.EventID, "to", c.to, "err", err)
		return h.store.markSMS(ctx, n.EventID, "failed", "", err.Error())
	case err != nil:
		return errors.Join(fmt.Errorf("%w: %w", errSMS, err), h.store.markSMS(context.WithoutCancel(ctx), n.EventID, "pending", "", err.Error()))
	}

	// Marked also when ctx has just ended: a text that was sent and not marked is
	// sent a second time.
	h.log.Info("sms sent", "event_id", n.EventID, "ride_id", n.RideID, "to", c.to, "message_id", id)
	return h.store.markSMS(context.WithoutCancel(ctx), n.EventID, "sent", id, "")
}
