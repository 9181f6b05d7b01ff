package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"tandem/services/domain/event"
	"tandem/services/domain/ride"
)

// content is what can be read of a message.
type content struct {
	ID      string
	Type    string
	Version int
	At      time.Time
	Data    struct {
		RideID  string `json:"ride_id"`
		Attempt int    `json:"attempt"`
	}
}

// read says what a message is about, as far as it can be read: also where its version
// is not known, since the ride's id may well be where it always was.
func read(body string) (c content, about string) {
	err := json.Unmarshal([]byte(body), &c)
	var syntax *json.SyntaxError
	switch {
	case strings.TrimSpace(body) == "":
		return c, "empty"
	case errors.As(err, &syntax) || err != nil && !json.Valid([]byte(body)):
		return c, "no JSON"
	case err != nil:
		c.Type = "" // a member has another type: no worker reads the others
		return c, "not a message of Tandem"
	case c.Version != event.EnvelopeVersion:
		return c, fmt.Sprintf("%s of version %d, which is not known", typeOr(c.Type), c.Version)
	}

	about = typeOr(c.Type)
	if c.Data.Attempt != 0 {
		about += fmt.Sprintf(", attempt %d", c.Data.Attempt)
	}
	return c, about
}

func typeOr(typ string) string {
	if typ == "" {
		return "a message without a type"
	}
	return shorten(typ, 40)
}

// tell adds to a letter what its body says, and what its ride is now.
func (t *Tool) tell(ctx context.Context, l *Letter, body string) {
	c, about := read(body)
	l.About = about
	if !c.At.IsZero() {
		l.WrittenAt = new(c.At.UTC())
	}
	if uuid.Validate(c.Data.RideID) == nil {
		l.Ride = t.rideNow(ctx, c.Data.RideID)
	}
	l.Advice = advise(l.Source, c, l.Ride)
}

// rideNow looks a ride up. That the database is away is told, and is no error: the
// dead letter is there all the same.
func (t *Tool) rideNow(ctx context.Context, id string) *Ride {
	r, err := t.rides.Get(ctx, id)
	switch {
	case errors.Is(err, ride.ErrNotFound):
		return &Ride{ID: id, Known: true}
	case err != nil:
		t.o.Log.Warn("a dead letter's ride cannot be looked up", "ride_id", id, "err", err)
		return &Ride{ID: id}
	}
	return &Ride{ID: id, Known: true, State: r.State, Closed: r.State.Terminal(), Attempt: r.Attempt, Expires: r.ExpiresAt.UTC()}
}

// advise says what a redrive to source would do.
func advise(source string, c content, r *Ride) string {
	const nothing = ": a redrive does nothing, discard it"
	request := source == event.QueueRideRequests
	readable := c.Version == event.EnvelopeVersion && c.ID != "" && c.Type != "" && request == (c.Type == event.TypeRideRequest) && r != nil &&
		(!request || c.Data.Attempt >= 1)
	switch {
	case !readable:
		return "no worker of this version can read it: a redrive brings it back, discard it"
	case !r.Known:
		return "its ride could not be looked up: look again when the database answers"
	case r.State == "" && request:
		return "there is no such ride: a redrive brings it back, discard it"
	case !request:
		return "redrive it when the cause is gone; the rider may have had later news of the ride"
	case request && c.Data.Attempt > r.Attempt:
		return fmt.Sprintf("its ride is only at attempt %d, as after a restore of the database, and has a request of its own: a redrive brings it back, discard it", r.Attempt)
	case r.Closed:
		return "its ride is closed" + nothing
	case c.Data.Attempt != r.Attempt:
		return fmt.Sprintf("its ride is at attempt %d", r.Attempt) + nothing
	case r.State != ride.Requested && r.State != ride.Offered:
		return "its ride has a driver" + nothing
	}
	return "its ride waits until " + r.Expires.Format(time.TimeOnly) + " UTC: redrive it when the cause is gone"
}
