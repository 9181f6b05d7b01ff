package booking

import (
	"encoding/json"

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

// redactFor takes out what the asker must not see: an open offer is for its driver
// and the operators alone, and until a driver has accepted, the rider does not know
// who was asked.
func redactFor(id auth.Identity, r ride.Ride) ride.Ride {
	if id.Role == auth.Rider {
		r.Offer = nil
		if r.State == ride.Offered {
			r.DriverID, r.Vehicle = "", nil
		}
	}
	return r
}

// redactEventFor hides from riders which drivers were asked and did not take the
// ride.
func redactEventFor(id auth.Identity, e ride.Event) ride.Event {
	if id.Role != auth.Rider {
		return e
	}

	switch e.Kind {
	case ride.EventOffered, ride.EventRefused, ride.EventOfferExpired, ride.EventRequeued:
		var data map[string]json.RawMessage
		if json.Unmarshal(e.Data, &data) != nil {
			data = nil // what cannot be read cannot be shown: it may name a driver
		}
		delete(data, "driver_id")
		delete(data, "lost_driver_id")
		e.Data = json.RawMessage(`{}`)
		if b, err := json.Marshal(data); err == nil && data != nil {
			e.Data = b
		}
		if e.Kind == ride.EventRefused {
			e.By = "driver"
		}
	}
	return e
}
