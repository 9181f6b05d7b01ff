package audit

import (
	"context"
	"fmt"
	"time"

	"tandem/services/domain/event"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// each calls fn for every row of a query, with its columns as text.
func (a *auditor) each(ctx context.Context, fn func(cols []string), sql string, args ...any) error {
	rows, err := a.tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}

	cols := make([]string, len(rows.FieldDescriptions()))
	into := make([]any, len(cols))
	for i := range cols {
		into[i] = &cols[i]
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		fn(cols)
		return nil
	})
	return err
}

// rides: every 201 is a ride, and none waits past its end.
func (a *auditor) rides(ctx context.Context) error {
	f := newFinding(1, "rides")
	var assigned, total int64
	if err := a.tx.QueryRow(ctx, `SELECT count(*), count(assigned_at) FROM ride.rides`).Scan(&total, &assigned); err != nil {
		return fmt.Errorf("rides: %w", err)
	}
	f.count("requested", total)
	f.count("assigned", assigned)

	rows, err := a.tx.Query(ctx, `SELECT state, count(*) FROM ride.rides GROUP BY state`)
	if err != nil {
		return fmt.Errorf("rides: %w", err)
	}
	var state string
	var n int64
	for _, s := range []string{"completed", "cancelled", "unfulfilled", "open", "lost", "removed"} {
		f.count(s, 0)
	}
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		if state != "completed" && state != "cancelled" && state != "unfulfilled" {
			state = "open"
		}
		f.count(state, n)
		return nil
	})
	if err != nil {
		return fmt.Errorf("rides: %w", err)
	}

	// The sweeper closes a ride when its end has passed, but not before its message
	// can no longer come back.
	p := a.cfg.Profile
	err = a.each(ctx, func(c []string) { f.broken("ride %s waits as %s since its end at %s", c[0], c[1], c[2]) }, `
		SELECT id::text, state, expires_at::text FROM ride.rides
		WHERE state IN ('requested', 'offered') AND expires_at < $1 ORDER BY expires_at`,
		a.now.Add(-event.Tries*p.Visibility-p.Offer-p.Margin-3*p.SweepEvery))
	if err != nil {
		return fmt.Errorf("rides: %w", err)
	}
	if err := a.promisedRides(ctx, f); err != nil {
		return err
	}

	c := f.check.Counts
	a.report.add(f.done("%d rides: %d completed, %d cancelled, %d unfulfilled, %d under way; of %d promised none is lost (%d left by their age)",
		total, c["completed"], c["cancelled"], c["unfulfilled"], c["open"], c["promised"], c["removed"]))
	return nil
}

func (a *auditor) promisedRides(ctx context.Context, f *finding) error {
	f.count("promised", int64(len(a.promised.rides)))
	ids := make([]string, 0, len(a.promised.rides))
	for id, r := range a.promised.rides {
		if uuid.Validate(id) != nil {
			f.count("lost", 1)
			f.broken("key %s of %s got 201 with the ride id %q", r.Key, r.Rider, id)
			continue
		}
		ids = append(ids, id)
	}

	return a.each(ctx, func(c []string) {
		r := a.promised.rides[c[0]]
		if r.mayBeRemoved(a.now, a.cfg.Profile.KeepFor) {
			f.count("removed", 1)
			return
		}
		f.count("lost", 1)
		f.broken("ride %s of %s got 201 and does not exist", c[0], r.Rider)
	}, `SELECT p.id::text FROM unnest($1::uuid[]) AS p (id) WHERE NOT EXISTS (SELECT FROM ride.rides r WHERE r.id = p.id) ORDER BY 1`, ids)
}

// drivers: one live driver a ride, one live ride a driver, now and ever.
func (a *auditor) drivers(ctx context.Context) error {
	f := newFinding(2, "drivers")
	checks := []struct{ say, sql string }{
		{"index %s is missing or not valid: nothing keeps drivers and rides apart", `
			SELECT i FROM unnest(ARRAY['one_live_ride_of_a_driver', 'one_live_driver_of_a_ride']) AS i
			WHERE NOT EXISTS (SELECT FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
			                  WHERE n.nspname = 'ride' AND c.relname = i AND x.indisvalid AND x.indisunique)`},
		{"driver %s has several live rides: %s", `
			SELECT driver_id, string_agg(id::text, ', ') FROM ride.rides
			WHERE state IN ('offered', 'assigned', 'arrived', 'picked_up') GROUP BY driver_id HAVING count(*) > 1`},
		{"ride %s has several live drivers: %s", `
			SELECT ride_id::text, string_agg(driver_id, ', ') FROM ride.offers
			WHERE state IN ('open', 'accepted') GROUP BY ride_id HAVING count(*) > 1`},
		{"ride %s is %s with driver %s, who has no live offer of it", `
			SELECT id::text, state, driver_id FROM ride.rides r
			WHERE state IN ('offered', 'assigned', 'arrived', 'picked_up') AND NOT EXISTS (
				SELECT FROM ride.offers o WHERE o.ride_id = r.id AND o.driver_id = r.driver_id
				AND o.state = CASE r.state WHEN 'offered' THEN 'open' ELSE 'accepted' END)`},
		{"driver %s was assigned to ride %s before ride %s had ended", `
			SELECT driver_id, id::text, before::text FROM (
				SELECT driver_id, id, assigned_at, lag(id) OVER w AS before, lag(coalesce(ended_at, 'infinity')) OVER w AS ended
				FROM ride.rides WHERE driver_id IS NOT NULL AND assigned_at IS NOT NULL WINDOW w AS (PARTITION BY driver_id ORDER BY assigned_at)) x
			WHERE ended > assigned_at`},
	}

	for _, c := range checks {
		err := a.each(ctx, func(cols []string) {
			args := make([]any, len(cols))
			for i, s := range cols {
				args[i] = s
			}
			f.broken(c.say, args...)
		}, c.sql)
		if err != nil {
			return fmt.Errorf("drivers: %w", err)
		}
	}

	var live int64
	if err := a.tx.QueryRow(ctx, `SELECT count(*) FROM ride.rides WHERE state IN ('offered', 'assigned', 'arrived', 'picked_up')`).Scan(&live); err != nil {
		return fmt.Errorf("drivers: %w", err)
	}
	f.count("live", live)
	a.report.add(f.done("%d live rides, each with one driver, each driver with one", live))
	return nil
}

// keys: the same key returns the same ride.
func (a *auditor) keys(ctx context.Context) error {
	f := newFinding(3, "keys")
	for _, c := range a.promised.conflicts {
		f.broken("%s", c)
	}
	err := a.each(ctx, func(c []string) { f.broken("key %s of %s made several rides: %s", c[1], c[0], c[2]) }, `
		SELECT rider_id, idempotency_key, string_agg(id::text, ', ') FROM ride.rides GROUP BY 1, 2 HAVING count(*) > 1`)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}

	riders, keys, ids := []string{}, []string{}, []string{}
	for k, r := range a.promised.keys {
		if r.mayBeRemoved(a.now, a.cfg.Profile.KeepFor) {
			continue // the key may be another ride's by now
		}
		riders, keys, ids = append(riders, k.rider), append(keys, k.key), append(ids, r.RideID)
	}
	err = a.each(ctx, func(c []string) { f.broken("key %s of %s returned ride %s, and is ride %s's", c[1], c[0], c[2], c[3]) }, `
		SELECT p.rider, p.key, p.id, r.id::text FROM unnest($1::text[], $2::text[], $3::text[]) AS p (rider, key, id)
		JOIN ride.rides r ON r.rider_id = p.rider AND r.idempotency_key = p.key WHERE r.id::text <> p.id`, riders, keys, ids)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}

	f.count("keys", int64(len(ids)))
	a.report.add(f.done("%d promised keys, each with one ride", len(ids)))
	return nil
}

// wakes: every open ride will be looked at.
func (a *auditor) wakes(ctx context.Context) error {
	f := newFinding(9, "wakes")

	// The sweeper has three tries. A ride whose message is still in the outbox is the
	// relay's to bring forward, not the sweeper's.
	overdue := a.now.Add(-3*a.cfg.Profile.SweepEvery - a.cfg.Profile.Margin)
	err := a.each(ctx, func(c []string) { f.broken("ride %s is %s and should have been looked at by %s", c[0], c[1], c[2]) }, `
		SELECT id::text, state, coalesce(wake_at::text, 'never') FROM ride.rides r
		WHERE state NOT IN ('completed', 'cancelled', 'unfulfilled') AND (wake_at IS NULL OR wake_at < $1)
		  AND NOT EXISTS (SELECT FROM ride.outbox o WHERE o.queue = 'ride-requests' AND o.key = r.id::text AND o.sent_at IS NULL AND o.set_aside_at IS NULL)
		ORDER BY wake_at`, overdue)
	if err != nil {
		return fmt.Errorf("wakes: %w", err)
	}

	var unsent int64
	var oldest *time.Time
	err = a.tx.QueryRow(ctx, `SELECT count(*), min(due_at) FROM ride.outbox WHERE sent_at IS NULL AND set_aside_at IS NULL`).Scan(&unsent, &oldest)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	err = a.each(ctx, func(c []string) { f.broken("message %s to %s about %s was set aside: %s", c[0], c[1], c[2], c[3]) },
		`SELECT id::text, queue, key, last_error FROM ride.outbox WHERE set_aside_at IS NOT NULL ORDER BY seq`)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	f.count("unsent", unsent)
	const relayed = time.Minute // enough for a relay that was restarted
	if oldest != nil && oldest.Before(a.now.Add(-relayed)) {
		f.broken("the outbox has %d unsent messages, the oldest due since %s", unsent, text(*oldest))
	}
	a.report.add(f.done("every open ride will be looked at in time; %d messages wait in the outbox", unsent))
	return nil
}

// notifications: each event once on each channel.
func (a *auditor) notifications(ctx context.Context) error {
	f := newFinding(9, "notifications")
	err := a.each(ctx, func(c []string) { f.broken("event %s: %s", c[0], c[1]) }, `
		SELECT coalesce(d.event_id, i.event_id)::text,
		       CASE WHEN i.event_id IS NULL THEN 'delivered to the inbox, and not in it' ELSE 'in the inbox without a delivery' END
		FROM (SELECT event_id FROM notification.deliveries WHERE channel = 'inbox') d
		FULL JOIN notification.inbox i ON i.event_id = d.event_id WHERE d.event_id IS NULL OR i.event_id IS NULL`)
	if err != nil {
		return fmt.Errorf("notifications: %w", err)
	}

	var inbox, sms, notSent int64
	err = a.tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE channel = 'inbox'), count(*) FILTER (WHERE channel = 'sms' AND state = 'sent'),
		count(*) FILTER (WHERE state = 'not_sent') FROM notification.deliveries`).Scan(&inbox, &sms, &notSent)
	if err != nil {
		return fmt.Errorf("notifications: %w", err)
	}
	f.count("inbox", inbox)
	f.count("sms", sms)
	f.count("sms_not_sent", notSent)
	a.report.add(f.done("%d events in inboxes, %d sent by SMS, each once; %d SMS not sent (a rider's cap for the day, or no verified number any more)", inbox, sms, notSent))
	return nil
}

// deadLetterReason returns why a ride's message became a dead letter, if the
// ride's events tell.
func (a *auditor) deadLetterReason(ctx context.Context, rideID string) (string, error) {
	var reason string
	err := a.tx.QueryRow(ctx, `
		SELECT coalesce((SELECT data->>'reason' FROM ride.ride_events WHERE ride_id = $1 AND kind = 'dead_lettered' ORDER BY seq DESC LIMIT 1), '')`, rideID).Scan(&reason)
	return reason, err
}
