package simulator

import (
	"time"

	"tandem/services/client"
	"tandem/services/domain/geo"
)

// slowTrip returns the ends of the trip that the rider's page suggests to whoever wants to kill the
// worker that holds the ride's message: its driver thinks for slowThink, which is
// time enough for a person. It is known by its ends alone, because all that a rider
// gains who books it is to wait longer.
func slowTrip() (pickup, dropoff geo.Point) {
	return geo.Point{Lat: -34.9053, Lon: -56.1917}, geo.Point{Lat: -34.9066, Lon: -56.1997} // Plaza Cagancha, Plaza Independencia
}

const (
	slowThink = 20 * time.Second
	// answerBefore is how long before its deadline an offer is answered at the latest:
	// an answer after it is none, and the ride would go to the next driver.
	answerBefore = 2 * time.Second
	sameSpot     = 1 // metre
)

func isSlowTrip(r client.Ride) bool {
	pickup, dropoff := slowTrip()
	return geo.Distance(r.Pickup.Point, pickup) < sameSpot && geo.Distance(r.Dropoff.Point, dropoff) < sameSpot
}

// thinkAbout returns how long a driver thinks about an offer, who would think for
// usual about any other.
func thinkAbout(o client.Offer, usual time.Duration, now time.Time) time.Duration {
	if !isSlowTrip(o.Ride) {
		return usual
	}
	return max(usual, min(slowThink, o.ExpiresAt.Sub(now)-answerBefore))
}
