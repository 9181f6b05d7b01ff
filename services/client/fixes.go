package client

import (
	"context"
	"time"
)

const (
	sendAgain     = time.Second // after a failure, and twice as long after each further one
	sendAgainMost = 8 * time.Second
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
	_ = d.track.Add(Point{ // ErrFull: offline for ten minutes; newer fixes are dropped
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
	pause := sendAgain
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
				pause = min(2*pause, sendAgainMost)
			}
		}
		pause = sendAgain
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
	return err == nil
}

// leave stops the fixes, and reports whether those before are durable or have
// waited for long enough: only then the driver goes off duty.
func (d *Driver) leave(now time.Time) bool {
	if d.leaving.IsZero() {
		d.leaving = now
	}
	return d.track.Waiting() == 0 || now.Sub(d.leaving) > leaveWithin
}
