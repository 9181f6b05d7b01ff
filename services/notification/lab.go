package notification

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// lab is a switch for people who learn: while it is on, a repeated event is sent by
// SMS again, as it would be without the delivery record. It is off at each start and
// goes off by itself. On AWS it cannot be turned on: there a text costs money and
// somebody reads it.
type lab struct {
	allowed bool
	until   atomic.Int64 // ms since 1970; 0: off
}

// labFor is how long the switch stays on.
const labFor = time.Minute

// turn turns the switch and returns until when it is on; zero: it is off.
func (l *lab) turn(on bool, now time.Time) time.Time {
	if !on {
		l.until.Store(0)
		return time.Time{}
	}
	until := now.Add(labFor)
	l.until.Store(until.UnixMilli())
	return until
}

// sendAgain sends the text of an event whose delivery record says that nothing is to
// be sent, if the switch is on. What is sent so is in the log, and in no record.
func (l *lab) sendAgain(ctx context.Context, h *handler, n notice) error {
	if !l.allowed || time.Now().UnixMilli() >= l.until.Load() {
		return nil
	}

	c, err := contactOf(ctx, h.store.pool, n.RiderID)
	if err != nil || !c.Verified {
		return err
	}

	id, err := h.sms.Send(ctx, c.Phone, text(c.Language, n))
	if err != nil {
		return fmt.Errorf("%w: %w", errSMS, err)
	}

	h.log.Warn("lab: sms sent once more, as without a delivery record", "event_id", n.EventID, "to", c.Phone, "message_id", id)
	return nil
}
