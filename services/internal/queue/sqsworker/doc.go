// Package sqsworker runs a handler over the messages of one SQS queue: one
// message per call, and many calls concurrently. It stands alone: copy the folder
// and it builds.
//
// # Words
//
//   - receive: SQS hands out a message and hides it from every other receiver.
//   - visibility: how long the message stays hidden. When it has run out, SQS
//     hands the message out again.
//   - in flight, or held: received by this worker, and not settled yet.
//   - heartbeat: a call that starts the visibility of messages in flight again.
//   - settle: delete the message, move it to the dead-letter queue, or make it
//     visible again. Release means: make it visible at once.
//   - lost: the visibility was about to run out before the message was settled. Then
//     the worker gives the message up.
//
// # Model
//
//	             ┌──────── heartbeat: hidden for another Visibility ────────┐
//	             ▼                                                          │
//	receive ─► in flight (at most MaxInFlight) ─► Handle(ctx, m) ─► Done ───────► batch delete
//	                                                            ├─► DeadLetter ─► send to DLQ, then delete
//	                                                            ├─► RetryAfter ─► visible again after d
//	                                                            └─► Release ────► visible again now
//
// The worker sends heartbeats from half of the visibility on, for several
// messages per call, and several calls at once. Whatever happens, SQS hands out again
// a message that was not deleted: nothing here can lose a message, and everything here
// can repeat one. Handlers must be idempotent.
//
// One receive is under way while the queue is idle. Where calls take their time, as
// those to AWS do, a receive that comes back full starts another poller beside it, up to
// MaxPollers, and one that comes back empty ends it. With 50 in flight and 10 ms a call
// five pollers handled 2.5 times as many messages as one. The invariants below hold for
// all of them together.
//
// Calls are few, because each one costs time and money: a delete waits up to Linger for
// others, but goes at once when no handler is running whose delete could join it; and a
// receive waits up to Linger for the slots of messages whose deletes are under way.
//
// # Tests
//
// A handler is tested without AWS: sqstest, the folder beside this one, is an SQS in
// memory, and this package's own tests use it. Its calls fail in part, late, and after the
// fact, and in a testing/synctest bubble a visibility of twelve hours passes in no time.
// A handler may get a message twice: Queue.Repeat delivers it again.
//
// # Invariants
//
//   - A message is deleted only after its handler returned Done, or after SQS
//     has acknowledged its copy on the dead-letter queue.
//   - A handler's ctx ends before the message's visibility does, by a margin of
//     an eighth of Visibility. The worker counts the visibility from the moment
//     the answer to a receive arrived, or from the moment a heartbeat was sent.
//   - At most MaxInFlight messages are in flight, and each of them goes to a
//     handler immediately. So no message waits in one worker while another worker is idle.
//     The exception is a FIFO group: while its first message is handled, the
//     messages of the group that were received with it wait in this worker.
//   - On a FIFO queue one message of a group is handled at a time, in the
//     queue's order, and the next one starts only when the one before is
//     deleted. If a standard queue delivers a message twice, one worker does not
//     handle both at the same time.
//
// # Permissions
//
// This policy is enough for a worker whose Queue and DeadLetterQueue are URLs. SQS has
// no actions for batches: the action for one message allows them.
//
//	{"Version": "2012-10-17", "Statement": [
//	  {"Effect": "Allow", "Resource": "arn:aws:sqs:REGION:ACCOUNT:orders",
//	   "Action": ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"]},
//	  {"Effect": "Allow", "Resource": "arn:aws:sqs:REGION:ACCOUNT:orders-dlq",
//	   "Action": "sqs:SendMessage"}]}
//
// Queues that are named by name need sqs:GetQueueUrl as well. Where sqs:GetQueueAttributes
// is not allowed, the worker logs once what it does not check, and works. Queues that are
// encrypted with a KMS key of your own need kms:Decrypt on it, the dead-letter queue
// kms:GenerateDataKey too.
//
// # Attributes and traces
//
// A handler gets each message attribute: a String's or a Number's text, a Binary's
// bytes. A dead letter's copy keeps them with their types, the message's group (on a
// standard queue as well, where fair queues use it) and the X-Ray header. SQS takes
// ten attributes; the reason is one of them, so of ten the last by name is left out. It
// takes 1 MiB with the attributes: a body that leaves no room for them goes with a
// shorter reason, or none, and without the others. A dead-letter queue whose
// MaximumMessageSize is smaller than the queue's refuses messages, which then stay.
//
// The package knows no tracing library. Options.Context is called once per receive,
// with the message: it reads the sender's context from Attributes, begins a span that
// is linked to it, and returns ctx with that span. Options.Handled gets the same values
// and the outcome, and ends the span.
//
// # Metrics
//
// Options.Metrics is told what to watch: the age of messages when they are received,
// which grows when workers are too few; their receive count, which grows when handlers
// fail; the handlers' time; messages in flight against MaxInFlight; empty receives, which
// are paid for; panics; and deletes that fail, each of which may repeat a message.
//
// # Failure by failure
//
//   - The process dies: SQS hands its messages out again when their visibility
//     runs out, and ApproximateReceiveCount has counted the receive.
//   - A message has ended the process, or has hung, in each of its Tries: the next
//     receive is not handled. Its worker sends the message to the dead-letter queue,
//     with a reason that says so. SQS alone would move it there without a reason, so
//     the queue's maxReceiveCount must be higher than Tries. Make it higher by a few:
//     the worker that sends the message may die too, or the send may fail.
//   - The last of the Tries returns RetryAfter, panics, or returns the zero Result:
//     the message goes to the dead-letter queue with that reason.
//   - The process is frozen, or heartbeats fail for long: ctx ends with the
//     cause ErrLost and the result is ignored, because another worker has the
//     message or will get it. A frozen process cannot know this in time: when it
//     wakes, its handler may run beside the next owner's until its ctx ends. Only
//     the handler's own transaction can fence against that.
//   - The handler panics or returns the zero Result: retried after 5 s, as long as
//     there are Tries.
//   - The handler runs longer than HandleWithin: ctx ends with the cause
//     ErrTimeout and the heartbeats stop. The result still counts if it comes
//     before the message is lost.
//   - What a handler needs is away, a database perhaps (see Dependency): the
//     handler keeps its message, heartbeats go on, and the worker begins no other
//     receive until it is back. Nothing is counted as a failure, unless it stays away
//     for longer than HandleWithin: then the handler's time is over, which is a try.
//   - A delete fails: it is tried up to five times, and the heartbeats go on
//     meanwhile. After that SQS hands the message out again, although it is done.
//   - The send to the dead-letter queue fails: the message is retried, and the
//     queue's own redrive policy is the last resort. After a crash between send and
//     delete the message is on both queues.
//   - The queue does not exist, or SQS does not answer: the worker backs off, up
//     to about 10 s, Ready returns the reason, and a queue's name is looked up again.
//     The first receive after a failure polls for one second only, so that Ready
//     soon reports the recovery.
//   - The queue's settings contradict the Options (see Check): the worker takes
//     no message until they agree. It checks at the start and after each failed
//     receive. The waiting messages are safe; Ready, and one log entry at level
//     error, say what a person must change. A receive names its own visibility,
//     so a queue with a shorter one does not harm this worker; but queue and
//     worker were then configured apart, and any other program that receives
//     with the queue's visibility gets too little time. With a maxReceiveCount of
//     Tries or less, SQS moves messages without a reason.
//   - ctx of Run ends: the worker receives no more, and what waits behind a FIFO
//     group's first message is released once that one is handled. Handlers have until
//     Drain; then their ctx ends with the cause ErrDraining, and every message is
//     released whose handler does not return Done within a second. DeadLetter does not
//     count any more: a handler that was cut short has not failed. A receive that was
//     cut off may have been answered: those messages come again after Visibility, with
//     one receive counted.
//   - A message of a FIFO group fails: the messages of the group that were
//     received with it are released behind it. SQS has counted a receive for
//     each of them. Where the first message of a group fails often, BatchSize 1
//     keeps the counts of the others right.
package sqsworker
