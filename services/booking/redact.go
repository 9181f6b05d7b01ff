package booking

import (
	"bytes"
	"encoding/json"
	"strings"

	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

// maySee reports whether the asker may see the ride.
func maySee(id auth.Identity, r ride.Ride) bool {
	switch id.Role {
	case auth.Rider:
		return r.RiderID == id.Subject
	case auth.Driver:
		return r.DriverID == id.Subject
	case auth.Admin, auth.Importer, auth.Service:
		return true
	}
	return false
}

// What riders and drivers read in place of an operator's words or an error's.
const (
	byOperator       = "An operator ended this ride."
	deadLetteredText = "The request could not be handled. An operator looks at it."
)

// operates reports whether the asker reads what goes on inside: an operator's words,
// an error's text.
func operates(id auth.Identity) bool { return id.Role != auth.Rider && id.Role != auth.Driver }

// redactFor takes out what the asker must not see: an open offer is for its driver
// and the operators alone, and until a driver has accepted, the rider does not know
// who was asked.
func redactFor(id auth.Identity, r ride.Ride) ride.Ride {
	if r.EndedByOperator && !operates(id) {
		r.EndReason = byOperator
	}
	if id.Role == auth.Rider {
		r.Offer = nil
		if r.State == ride.Offered {
			r.DriverID, r.Vehicle = "", nil
		}
	}
	return r
}

// redactEventFor hides from riders and drivers which other drivers were asked and did not
// take the ride, and what only those who operate may read.
func redactEventFor(id auth.Identity, e ride.Event) ride.Event {
	if operates(id) {
		return e
	}

	switch {
	case e.Kind == ride.EventDeadLettered:
		return withData(e, map[string]any{"reason": deadLetteredText})
	case strings.HasPrefix(e.By, string(auth.Admin)+" "):
		e.By = "operator"
		return withData(e, map[string]any{"reason": byOperator})
	}
	return redactAsked(id, e)
}

// redactAsked takes the names of the drivers who did not take the ride out of e,
// except the asker's own.
func redactAsked(id auth.Identity, e ride.Event) ride.Event {
	switch e.Kind {
	case ride.EventOffered, ride.EventRefused, ride.EventOfferExpired, ride.EventRequeued:
		var data map[string]json.RawMessage
		if json.Unmarshal(e.Data, &data) != nil {
			data = nil // what cannot be read cannot be shown: it may name a driver
		}
		if own, err := json.Marshal(id.Subject); err == nil && id.Role == auth.Driver && bytes.Equal(data["driver_id"], own) {
			return e
		}
		delete(data, "driver_id")
		delete(data, "lost_driver_id")
		e = withData(e, data)
		if e.Kind == ride.EventRefused {
			e.By = "driver"
		}
	}
	return e
}

func withData[V any](e ride.Event, data map[string]V) ride.Event {
	e.Data = json.RawMessage(`{}`)
	if b, err := json.Marshal(data); err == nil && data != nil {
		e.Data = b
	}
	return e
}
