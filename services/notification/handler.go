package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"tandem/services/domain/event"
	"tandem/services/internal/queue/sqsworker"
)

// smsSender sends one text. It wraps errNeverDelivered where trying again is
// of no use.
type smsSender interface {
	Send(ctx context.Context, to phone, text string) (messageID string, err error)
}

var errNeverDelivered = errors.New("the number cannot get this text")

type handler struct {
	store *store
	sms   smsSender
	claim time.Duration // a claim is another's for this long
	log   *slog.Logger
}

// notice is one event that a rider hears of.
type notice struct {
	event.RideNotice
	EventID string
	Kind    string
	At      time.Time
}

// Handle implements sqsworker.Handler.
func (h *handler) Handle(ctx context.Context, m sqsworker.Message) sqsworker.Result {
	n, err := decode(m.Body)
	if err != nil {
		return sqsworker.DeadLetter(err)
	}
	err = h.deliver(ctx, n)
	switch {
	case err == nil:
		return sqsworker.Done()
	case m.Receives >= event.MaxReceiveCount:
		return sqsworker.DeadLetter(fmt.Errorf("try %d of %d: %w", m.Receives, event.MaxReceiveCount, err))
	}
	return sqsworker.RetryAfter(time.Second<<min(m.Receives, event.MaxReceiveCount), err)
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

// deliver returns nil once the notice is on every channel that the rider had
// when it first came.
func (h *handler) deliver(ctx context.Context, n notice) error {
	if err := h.store.putInbox(ctx, n); err != nil {
		return err
	}
	c, err := h.store.claimSMS(ctx, n.EventID, h.claim)
	if err != nil || c.state == claimNothing {
		return err
	}
	if c.state == claimOthers {
		return errors.New("notification: another worker is sending this SMS")
	}
	id, err := h.sms.Send(ctx, c.to, text(c.language, n))
	switch {
	case errors.Is(err, errNeverDelivered):
		h.log.Warn("sms refused for good", "event_id", n.EventID, "to", c.to, "err", err)
		return h.store.markSMS(ctx, n.EventID, "failed", "", err.Error())
	case err != nil:
		return errors.Join(err, h.store.markSMS(context.WithoutCancel(ctx), n.EventID, "pending", "", err.Error()))
	}
	h.log.Info("sms sent", "event_id", n.EventID, "ride_id", n.RideID, "to", c.to, "message_id", id)
	return h.store.markSMS(context.WithoutCancel(ctx), n.EventID, "sent", id, "")
}
