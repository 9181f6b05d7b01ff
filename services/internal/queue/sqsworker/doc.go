// Package sqsworker runs a handler over the messages of one SQS queue, one
// message to a handler call and many calls at once. It stands alone: copy the
// folder and it builds.
//
// # Model
//
//	          ┌────────────── heartbeat: visible again in Visibility ──────────────┐
//	          ▼                                                                    │
//	receive ─► held (at most MaxInFlight) ─► Handle(ctx, m) ─► Done ───────► batch delete ─► gone
//	                                                       ├─► DeadLetter ─► send to DLQ, then delete
//	                                                       ├─► RetryAfter ─► visible again after d
//	                                                       └─► Release ────► visible again now
//
// SQS lends a message for as long as its visibility timeout. The worker pays
// the loan back (delete), extends it (heartbeat, from half-time on, several
// messages a call), or gives the message back early. Whatever happens, a message
// that was not deleted comes again: nothing here can lose one, and everything
// here can repeat one. Handlers must be idempotent.
//
// # Invariants
//
//   - A message is deleted only after its handler returned Done, or after SQS
//     has acknowledged its copy on the dead-letter queue.
//   - A handler's ctx ends before the loan does, by a margin of an eighth of
//     Visibility. The worker counts the loan from the moment the answer to a
//     receive arrived, or from the moment a heartbeat was sent.
//   - No more than MaxInFlight messages are held, so no message waits here
//     while another worker is idle, but those of a FIFO group behind their
//     elder.
//   - On a FIFO queue one message of a group is handled at a time, in the
//     queue's order, and the next one starts only when the one before is
//     deleted. A standard queue's message that comes twice is not handled
//     twice at once by one worker.
//
// # Failure by failure
//
//   - The process dies: its messages come again when their visibility runs
//     out. ApproximateReceiveCount counts it.
//   - The process is frozen, or heartbeats fail for long: ctx ends with the
//     cause ErrLost and the result is ignored; the message is already, or will
//     be, another's. A frozen process cannot know: on waking, its handler may
//     run beside the next owner's until its ctx ends. Fence in the handler's
//     transaction, not here.
//   - The handler panics or returns the zero Result: retried after 5 s.
//   - The handler outlives HandleWithin: ctx ends with the cause ErrTimeout,
//     heartbeats stop, the result still counts while the loan lasts.
//   - A delete fails: tried again up to five times, the message kept invisible
//     meanwhile; then the message comes again, already done.
//   - The send to the dead-letter queue fails: the message is retried, and
//     the queue's own redrive policy is the last resort. A crash between send
//     and delete leaves two copies.
//   - The queue does not exist, or SQS does not answer: the worker backs off up
//     to 10 s, Ready says why, the queue's URL is looked up again. After a
//     failure the first receive waits a second, so that Ready turns soon.
//   - The queue is set up otherwise than the worker was (see Check): no message
//     is taken, at the start and after every failed receive, until it fits. A
//     receive names its own visibility, so a queue whose own is too short does
//     no harm to this worker; it shows that queue and worker were set up apart,
//     and whoever else receives would hand out what is still worked on. A
//     maxReceiveCount that differs makes the handler take the wrong receive for
//     the last one. Waiting messages are safe; that a person must look is said
//     by Ready, and at level error, once.
//   - ctx of Run ends: no more receives; what waits behind its group is
//     released; handlers have until Drain, then their ctx ends with the cause
//     ErrDraining, and what is not Done or DeadLetter by then is released. A
//     receive that is cut off may have been answered: those messages come
//     again after Visibility, and a receive is counted.
//   - A message of a FIFO group fails: the rest of the group that came with it
//     is released behind it. SQS counts a receive for them too; where a group's
//     head fails often, BatchSize 1 keeps its followers' counts honest.
package sqsworker
