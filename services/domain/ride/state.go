package ride

import (
	"errors"
	"fmt"
	"time"
)

// State is where a ride stands.
type State string

// The states.
const (
	Requested   State = "requested"
	Offered     State = "offered"
	Assigned    State = "assigned"
	Arrived     State = "arrived"
	PickedUp    State = "picked_up"
	Completed   State = "completed"
	Cancelled   State = "cancelled"
	Unfulfilled State = "unfulfilled"
)

// States gives all of them, in the order of a ride's life.
func States() []State {
	return []State{Requested, Offered, Assigned, Arrived, PickedUp, Completed, Cancelled, Unfulfilled}
}

// Terminal says whether a ride in this state has ended.
func (s State) Terminal() bool { return s == Completed || s == Cancelled || s == Unfulfilled }

// Live says whether a driver is bound to a ride in this state.
func (s State) Live() bool {
	return s == Offered || s == Assigned || s == Arrived || s == PickedUp
}

// Kind is what an action does; it is also the kind of the event that it writes.
type Kind string

// The actions.
const (
	ActOffer       Kind = "offered"
	ActAccept      Kind = "assigned"
	ActRefuse      Kind = "refused"
	ActExpireOffer Kind = "offer_expired"
	ActArrive      Kind = "arrived"
	ActPickUp      Kind = "picked_up"
	ActDropOff     Kind = "completed"
	ActCancel      Kind = "cancelled"
	ActGiveUp      Kind = "unfulfilled"
	ActRequeue     Kind = "requeued" // look again: another driver, or another message
	ActEnd         Kind = "ended"    // by an operator
)

// Kinds of events that are no actions: they tell a message's way.
const (
	EventRequested    Kind = "requested"
	EventQueued       Kind = "queued"
	EventReceived     Kind = "received"
	EventDeleted      Kind = "deleted"
	EventDeadLettered Kind = "dead_lettered"
)

// Action is what somebody wants to do to a ride.
type Action struct {
	Kind Kind
	// Attempt is the one that the actor acts for; 0 is any.
	Attempt int
	// Driver is the one the ride is offered to (ActOffer), or the one who acts.
	Driver string
	Offer  string        // the offer that is answered
	Delay  time.Duration // before the request is seen again (ActRequeue)
	Reason string        // for the event and the rider
	// LoseDriver lets ActRequeue take a ride from the driver who had accepted
	// it. Without it a worker that is late, or has a copy of the message,
	// cannot.
	LoseDriver bool
}

// Errors of Next and Apply.
var (
	ErrNotFound = errors.New("ride: there is no such ride")
	ErrState    = errors.New("ride: not possible in this state")
	ErrAttempt  = errors.New("ride: another attempt is under way")
	ErrDriver   = errors.New("ride: another driver's")
	ErrTaken    = errors.New("ride: the driver or the ride was taken meanwhile")
	ErrOffer    = errors.New("ride: the offer is no longer open")
)

// Next is the state machine: where a leads from a state, or ErrState.
func Next(from State, a Action) (State, error) {
	to := State("")
	switch a.Kind {
	case ActOffer:
		to = when(from, Offered, Requested)
	case ActAccept:
		to = when(from, Assigned, Offered)
	case ActRefuse, ActExpireOffer:
		to = when(from, Requested, Offered)
	case ActArrive:
		to = when(from, Arrived, Assigned)
	case ActPickUp:
		to = when(from, PickedUp, Arrived)
	case ActDropOff, ActEnd:
		to = when(from, Completed, PickedUp)
	case ActCancel:
		to = when(from, Cancelled, Requested, Offered, Assigned, Arrived)
	case ActGiveUp:
		to = when(from, Unfulfilled, Requested, Offered)
	case ActRequeue:
		to = when(from, Requested, Requested, Offered, Assigned, Arrived)
	}
	if to == "" {
		return from, fmt.Errorf("%w: the ride is %s, so it cannot be %s", ErrState, from, a.Kind)
	}
	return to, nil
}

// when gives to where from is one of the states, else "".
func when(from, to State, one ...State) State {
	for _, s := range one {
		if s == from {
			return to
		}
	}
	return ""
}
