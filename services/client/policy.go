package client

import (
	"time"

	"tandem/services/domain/geo"
)

// Policy is how a driver behaves. Each func is asked when its choice comes up,
// from the driver's goroutine. The zero Policy accepts every offer at once, lets
// riders in at once, never takes a break, and stands still between rides.
type Policy struct {
	Speed float64 // times the streets' speed; 0: 1

	Think  func(Offer) time.Duration // before an offer is answered
	Refuse func(Offer) bool          // an offer that was thought about
	Board  func() time.Duration      // from arriving to picking up
	Cruise func() geo.Point          // where to drive without a ride

	// Break is how long to go off duty after so many rides since the last break;
	// 0: not yet.
	Break func(rides int) time.Duration

	Accuracy   func() float64 // of a fix, in metres; nil: 5
	StillEvery time.Duration  // from fix to fix while the car stands; 0: each second
	AskEvery   time.Duration  // how often a driver without a ride asks for its state; 0: it is told of changes
}

func choice[T any](f func() T, otherwise T) T {
	if f == nil {
		return otherwise
	}
	return f()
}

func about[T any](f func(Offer) T, o Offer) (answer T) {
	if f == nil {
		return answer
	}
	return f(o)
}

func (p Policy) pause(rides int) time.Duration {
	if p.Break == nil {
		return 0
	}
	return p.Break(rides)
}
