package client

import (
	"context"
	"time"
)

const (
	// After a failure a driver sends again in the next step, and waits twice as long after
	// each further one, at most so many steps.
	sendAgainMost = 8
	// leaveWithin is how long a driver who goes off duty waits for its last fixes to
	// be durable.
	leaveWithin = 10 * time.Second
)

// move drives for dt and adds a fix where one is due.
func (d *Driver) move(now time.Time, dt time.Duration) {
	moves := !d.mover.Arrived()
	d.mover.Drive(dt, d.policy.Speed)

	// Off duty, nobody is to know where the driver is.
	if now.Before(d.offUntil) || d.isRetired() || !d.leaving.IsZero() {
		return
	}
	if moves || now.Sub(d.lastFix) >= d.policy.StillEvery {
		d.addFix(now)
	}
}

func (d *Driver) addFix(now time.Time) {
	d.lastFix = now
	d.track.Add(Point{
		At: now.UnixMilli(), Lat: d.mover.At.Lat, Lon: d.mover.At.Lon,
		Speed: new(min(d.mover.Speed, maxShown)), Heading: new(d.mover.Heading), Accuracy: new(choice(d.policy.Accuracy, 5)),
	})

	select {
	case d.due <- struct{}{}:
	default: // it is known already that something waits
	}
}

// sendFixes sends fixes until ctx ends. While one request is under way the next
// fixes pile up, and go together with the next one: a Tandem that is slow gets
// fewer requests, not more, and no fewer points.
func (d *Driver) sendFixes(ctx context.Context) {
	pause := d.every
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.due:
		}

		for !d.flush(ctx) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
				pause = min(2*pause, sendAgainMost*d.every)
			}
		}
		pause = d.every
	}
}

// flush sends what waits, and reports whether none of it must be sent again. A
// request has the client's whole time-out: one that is given up while Tandem works
// on it would be sent, and worked on, twice.
func (d *Driver) flush(ctx context.Context) bool {
	err := d.track.Flush(ctx)
	if err != nil && ctx.Err() == nil && !Temporary(err) {
		d.Log.Warn("points were not taken", "driver", d.session.Subject(), "err", err)
	}
	d.sayDropped(err == nil)
	return err == nil
}

// sayDropped logs when an outage begins to cost fixes, and how many it has cost once
// the rest is durable: not each second of it, for each driver.
func (d *Driver) sayDropped(sent bool) {
	dropped := d.track.Dropped() - d.told
	switch {
	case dropped == 0:
	case sent:
		d.Log.Warn("fixes of an outage were dropped, and the newest have been sent", "driver", d.session.Subject(), "dropped", dropped, "keeps", d.keeps)
		d.told, d.dropping = d.told+dropped, false
	case !d.dropping:
		d.Log.Warn("too many fixes wait to be sent: the oldest are dropped", "driver", d.session.Subject(), "keeps", d.keeps)
		d.dropping = true
	}
}

// leave stops the fixes, and reports whether those before are durable or have
// waited for long enough: only then the driver goes off duty.
func (d *Driver) leave(now time.Time) bool {
	if d.leaving.IsZero() {
		d.leaving = now
	}
	return d.track.Waiting() == 0 || now.Sub(d.leaving) > leaveWithin
}
