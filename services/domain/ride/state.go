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

// States returns all of them, in the order of a ride's life.
func States() []State {
	return []State{Requested, Offered, Assigned, Arrived, PickedUp, Completed, Cancelled, Unfulfilled}
}

// Terminal reports whether a ride in this state has ended.
func (s State) Terminal() bool { return s == Completed || s == Cancelled || s == Unfulfilled }

// Live reports whether a driver is bound to a ride in this state.
func (s State) Live() bool {
	return s == Offered || s == Assigned || s == Arrived || s == PickedUp
}

// searching reports whether dispatch still looks for a driver.
func (s State) searching() bool { return s == Requested || s == Offered }

// accepted reports whether a driver has accepted the ride and not begun the trip.
func (s State) accepted() bool { return s == Assigned || s == Arrived }

// ActionKind is what somebody wants to do to a ride.
type ActionKind string

// The actions.
const (
	ActOffer       ActionKind = "offer"
	ActAccept      ActionKind = "accept"
	ActRefuse      ActionKind = "refuse"
	ActExpireOffer ActionKind = "expire_offer"
	ActArrive      ActionKind = "arrive"
	ActPickUp      ActionKind = "pick_up"
	ActDropOff     ActionKind = "drop_off"
	ActCancel      ActionKind = "cancel"
	ActGiveUp      ActionKind = "give_up"
	ActRequeue     ActionKind = "requeue" // look again: another driver, or another message
	ActEnd         ActionKind = "end"     // by an operator
)

// EventKind is what happened to a ride, or to its message: the kind of a line of
// its history.
type EventKind string

// The events that actions write.
const (
	EventOffered      EventKind = "offered"
	EventAssigned     EventKind = "assigned"
	EventRefused      EventKind = "refused"
	EventOfferExpired EventKind = "offer_expired"
	EventArrived      EventKind = "arrived"
	EventPickedUp     EventKind = "picked_up"
	EventCompleted    EventKind = "completed"
	EventCancelled    EventKind = "cancelled"
	EventUnfulfilled  EventKind = "unfulfilled"
	EventRequeued     EventKind = "requeued"
	EventEnded        EventKind = "ended"
)

// The events that follow the ride's message through the queue.
const (
	EventRequested    EventKind = "requested"
	EventQueued       EventKind = "queued"
	EventReceived     EventKind = "received"
	EventTryEnded     EventKind = "try_ended" // without a delete: the message comes again
	EventDeleted      EventKind = "deleted"
	EventDeadLettered EventKind = "dead_lettered"
)

// Event returns the kind of the event that the action writes; empty for an
// action that does not exist.
func (k ActionKind) Event() EventKind {
	switch k {
	case ActOffer:
		return EventOffered
	case ActAccept:
		return EventAssigned
	case ActRefuse:
		return EventRefused
	case ActExpireOffer:
		return EventOfferExpired
	case ActArrive:
		return EventArrived
	case ActPickUp:
		return EventPickedUp
	case ActDropOff:
		return EventCompleted
	case ActCancel:
		return EventCancelled
	case ActGiveUp:
		return EventUnfulfilled
	case ActRequeue:
		return EventRequeued
	case ActEnd:
		return EventEnded
	}
	return ""
}

// Terminal reports whether the ride has ended with this event.
func (k EventKind) Terminal() bool {
	switch k {
	case EventCompleted, EventEnded, EventCancelled, EventUnfulfilled:
		return true
	}
	return false
}

// Action is what somebody wants to do to a ride.
type Action struct {
	Kind ActionKind
	// Attempt is the ride's attempt that the actor acts for; 0 is any.
	Attempt int
	// Driver is whom the ride is offered to (ActOffer), or who acts.
	Driver string
	Offer  string        // the offer that is answered
	Delay  time.Duration // before the request is seen again (ActRequeue)
	Reason string        // for the ride and its history
	// Operator says that an operator acts, which the rider is told.
	Operator bool
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
	ErrAhead    = errors.New("ride: the ride has not come to this attempt")
	ErrDriver   = errors.New("ride: another driver's")
	ErrTaken    = errors.New("ride: the driver or the ride was taken meanwhile")
	ErrOffer    = errors.New("ride: the offer is no longer open")
)

// Next is the state machine: it returns the state that a leads to, or ErrState.
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
		return from, fmt.Errorf("%w: the ride is %s, so it cannot be %s", ErrState, from, a.Kind.Event())
	}
	return to, nil
}

// when returns to if from is one of the states, else "".
func when(from, to State, one ...State) State {
	for _, s := range one {
		if s == from {
			return to
		}
	}
	return ""
}
