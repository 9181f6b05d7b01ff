// Package dispatch finds a driver for each ride request. It has no public HTTP
// and no table of its own: it consumes ride-requests (package sqsworker), asks
// nearby where drivers are, and moves rides through domain/ride. Run as many
// workers as the backlog needs.
//
// A request's message is done when a driver has accepted, not when one was
// asked. The worker offers the ride to the driver who can be there first, and
// keeps the message invisible while it waits:
//
//	received ─► offer ─► accepted ────────────────────────► delete
//	              ▲ │
//	              │ ├─► refused, or the offer's deadline ─► offer to the next
//	              │ └─► the ride is cancelled ────────────► delete
//	              └──── nobody free ─► again through the outbox, later ─► delete
//
// Who is asked, in this order: drivers who are free and within 6 km, soonest there by
// street first. To one who stands within 40 m the rider walks. Nobody is asked again who
// refused this ride. Who let its offer pass, or accepted it and was not heard of again,
// is asked when nobody else is left. In one attempt each driver is asked once.
//
// Which ride gets a driver for whom several wait: the one with the shortest way to its
// pick-up less the time that its rider has waited (offer.go). A request that found
// nobody comes back later and at the queue's tail, so under a shortage newer requests
// would take each driver who becomes free. Therefore a worker that has found drivers
// for its ride also looks at up to 20 rides near it that wait for longer, and may
// offer some of them first. It does not wait for their answers: whoever receives their
// messages does, and if nobody does in time, the sweeper ends the offer.
//
// What happens when:
//
//   - The worker dies: the message comes again when its visibility runs out,
//     and the next worker goes on from the ride's state. It waits for the answer
//     to an open offer; for an assigned ride it only deletes the message.
//   - The message comes twice: both workers act on the ride's row; one offer
//     wins, both wait for its answer, both delete.
//   - The message is of an earlier attempt: the sweeper or a requeue has sent a
//     newer one, and this one is dropped.
//   - The message is of a later attempt, or of no ride, as after a restore of the
//     database: it is a dead letter at once. The sweeper sends again for each ride that
//     is there.
//   - Nobody is free: that is no failure. The request goes through the outbox
//     with attempt + 1 and a delay, in the transaction that raises the attempt. So
//     the queue's receive count counts only failures.
//   - The worker is told to stop: a driver who was asked may answer for a few
//     seconds more, then the request is sent again through the outbox without delay.
//   - The fifth try fails: the message goes to the dead-letter queue with its
//     reason, which is written to the ride's history too. The ride is left alone
//     until it expires, because a person may redrive the message.
//   - The worker dies in each of five tries: the next worker does not handle the
//     message, which may be what ended the others. It is a failed fifth try.
//   - nearby or Postgres is away: that is no failure of the message. The worker
//     keeps it and tries again every 2 s at the latest, and receives nothing more
//     meanwhile. While nearby is away it looks at the ride before each try, so that a
//     ride that was cancelled or has expired ends. A worker that is told to stop then
//     sends the request again through the outbox. While Postgres is away it can send
//     nothing: the message is released, which counts a receive.
//   - Something else fails: the message is retried, after a longer time with each
//     try.
package dispatch
