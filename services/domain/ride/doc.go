// Package ride has the ride: its states, and all SQL of the services on rides and
// offers (schema ride; only the audit reads it too). Booking and dispatch are two
// processes, and both write through this package; every other service asks
// booking over HTTP.
//
//	                    ┌───────── refuse, expire ─────────┐
//	                    ▼                                  │
//	create ──► requested ── offer ──► offered ── accept ──► assigned ──► arrived ──► picked_up ──► completed
//	              │ ▲                   │                     │ │           │            │
//	              │ └── requeue ────────┤ ◄── lose driver ────┘ ┴───────────┘            └─ end (operator) ─► completed
//	              ├──────── give up ────┴─► unfulfilled
//	              └──────── cancel, from any state before picked_up ─► cancelled
//
// # How a ride is moved
//
// Apply locks the ride's row, asks Next whether the action is allowed, writes
// the new state, the ride's event and what goes to a queue (package outbox),
// all in the caller's transaction. So a ride, its history and its messages
// cannot disagree, and of two concurrent actions the second sees what the first
// has done. Next is the whole state machine and reads nothing but its arguments.
//
// # Who has whom
//
// Two partial unique indexes guarantee it, whatever the code does: a driver has
// at most one live ride (offered to picked_up), and a ride has at most one open
// or accepted offer.
//
// # Attempts
//
// attempt rises only in the transaction that adds a ride.request to the outbox.
// A worker drops a message of an earlier attempt, because the ride has a newer one. A
// message of a later attempt than its ride's means that the database was restored to an
// earlier time. It becomes a dead letter, for a person to see; the sweeper sends the
// ride's own request again.
//
// # When a ride is looked at
//
// wake_at is when the sweeper looks at a ride that nothing else has moved until then:
//
//	state      wake_at                                         then
//	requested  delay + visibility × receives left + margin     requeue, if lost; past expires_at: unfulfilled
//	offered    the offer's deadline + visibility + margin      requeue, if lost; past expires_at: unfulfilled
//	dead       expires_at, of a ride whose message is a        unfulfilled
//	           dead letter and that has no open offer
//	assigned   20 minutes to arrive                            lose the driver, requeue (the sweeper alone may)
//	arrived    20 minutes to pick up                           lose the driver, requeue
//	picked_up  one hour                                        alarm, look again: an operator ends it
//	terminal   never
//
// A ride that lost its driver gets a new expires_at, at most LifeWithin after the
// booking; if that time has passed, it expires as soon as the driver is lost. Past
// expires_at a ride is closed even if its request still waits in the outbox. One ride
// that cannot be moved holds up no other.
//
// A request that only waits on the queue, because there are too few workers, is not
// sent again: the sweeper asks the queue how many it holds, and sends as many as it
// lacks (Sweep). An offer past its deadline, whose worker is gone, it ends all the same.
//
// wake_at is never earlier than the last moment at which the message may come back
// from the queue by itself, so that the sweeper and the queue do not both send. If
// they do, attempt decides. Package profile has the times.
package ride
