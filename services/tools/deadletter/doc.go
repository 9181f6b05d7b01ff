// Package deadletter is what a person does with dead letters: look at them, send them
// back or discard them, and see afterwards who did what. `tandem deadletter` and the
// console's API call it. It owns the Postgres schema operations.
//
// # Words
//
//   - dead letter: a message on a dead-letter queue, or a row of the outbox that SQS
//     refuses for good (set aside).
//   - place: where a dead letter is: the name of a dead-letter queue, or outbox.
//   - redrive: send a dead letter back to the queue that it came from. A row of the
//     outbox is given to the relay again.
//   - discard: delete it, with a reason.
//   - act: a redrive, a discard, or the start or cancellation of a redrive of all. Each
//     is a row of operations.acts. Tools that act on something else write theirs there
//     too (Begin, End): the erasure of a driver.
//
// # Looking is receiving
//
// SQS cannot show a message without handing it out. So to list or show dead letters is
// to receive them, hidden for Options.Hold, and to make them visible again at once
// afterwards. That has consequences:
//
//   - The receive count of each rises by one for every look. A dead-letter queue has no
//     redrive policy of its own, so nothing follows from the number.
//   - While one person looks, another one's act does not find the message. It tries
//     again until Hold has passed, when whatever was hidden is visible again, even if
//     the looker's process has died. If somebody has hidden messages again by then, the
//     act ends with a conflict: nothing was done, and it may be tried again.
//   - A FIFO queue hands out nothing more of a group while a message of it is in flight.
//     One receive brings up to ten of a group, and what stands behind those is neither
//     listed nor found until some of them are gone. Listing.Total says how many there are.
//   - At most Limit messages are listed, and an act looks through at most 1,000. Rows of
//     the outbox are read and not received: an act finds each of them.
//
// # Redrive one
//
//	receive until the message is in hand ─► write the act ─► send ─► delete ─► write the outcome
//
// The message is deleted only after SQS has acknowledged its copy. A crash in between
// leaves two of them: at least once, as everywhere on a queue, and the worker finds that
// the ride has moved on. The copy has the message's body, attributes and group, without
// DeadLetterReason, which is kept with the act. On a FIFO queue its deduplication id is
// the dead letter's message id: the id under which the message was first sent may be less
// than five minutes old, and then SQS would acknowledge the copy and drop it. In a FIFO
// group the copy stands behind what was sent since.
//
// # Redrive all
//
// SQS does it by itself, at the rate that was asked for: StartMessageMoveTask. Its
// destination is named, because most dead letters were sent here by a worker, and of
// these SQS does not know where they came from. There is one task for each queue. What it
// moves keeps DeadLetterReason. While it runs, nothing here receives from the queue: what
// is hidden is not moved. What another process holds when it begins may stay behind.
//
// # The acts
//
// Of a message the intent is committed before SQS is called, and the outcome after it:
// the table misses no act that happened, and claims none that did not. An act without an
// outcome was cut off in between; one whose outcome is "unknown" got no answer from SQS.
// In both cases look whether the dead letter is still there. An act on the outbox is a
// row of the same transaction, so it is there with its outcome or not at all.
package deadletter
