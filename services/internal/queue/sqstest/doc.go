// Package sqstest is a fake of Amazon SQS for tests: queues in memory that keep SQS's
// rules, and calls that fail in part, late, and after the fact. It stands alone: copy the
// folder and it builds.
//
//	f := sqstest.New()
//	q := f.Queue("orders", sqstest.Settings{DeadLetterQueue: "orders-dlq", MaxReceives: 5})
//	q.Send("order 1", "order 2")
//	f.On("DeleteMessageBatch", sqstest.LoseAnswer(io.ErrUnexpectedEOF).Times(1))
//	// run what is tested with f for its client, then
//	q.Visible(); q.InFlight(); q.Dead(); f.Calls("DeleteMessageBatch")
//
// An *SQS has the methods of *sqs.Client that programs send, receive and settle messages
// by, so it fits an interface that names some of them, such as those of sqsworker and
// outbox. A name that it does not know, or a message that SQS would refuse, is the test's
// own mistake: On, Calls, Queue, SendTo and Repeat panic.
//
// # Rules
//
// Each names its page of https://docs.aws.amazon.com/AWSSimpleQueueService/latest/, of
// which most are also cited at the code.
//
//   - A received message is hidden for the call's visibility timeout, or else the queue's
//     (30 s), for 12 hours at most from its receive. Then it is visible again, and its
//     receive count has risen (SQSDeveloperGuide/sqs-visibility-timeout.html).
//   - Each receive returns another receipt handle. On a standard queue the latest one
//     deletes, and an older one succeeds without effect; on a FIFO queue a handle expires with
//     its visibility. A message that is gone can be deleted again
//     (APIReference/API_DeleteMessage.html).
//   - A message that was received MaxReceives times moves to the dead-letter queue instead
//     of being received once more (SQSDeveloperGuide/sqs-dead-letter-queues.html).
//   - A FIFO queue keeps the order of each message group, returns as many of one group as
//     it can, and none of a group while one of it is in flight
//     (SQSDeveloperGuide/FIFO-queues-understanding-logic.html).
//   - A FIFO queue takes a deduplication id once in five minutes, also after the message
//     was deleted (SQSDeveloperGuide/using-messagededuplicationid-property.html).
//   - A delay hides a message after the send; a FIFO queue takes it from its settings alone
//     (SQSDeveloperGuide/sqs-message-timers.html).
//   - A receive waits for up to 20 s, and answers as soon as a message is there
//     (SQSDeveloperGuide/sqs-short-and-long-polling.html). In the SDK a 0 means that the
//     queue's own waiting time, visibility or delay counts; so it does here.
//   - A batch has up to ten entries, of 1 MiB together, and each entry succeeds or fails by
//     itself (APIReference/API_SendMessageBatch.html). A message has 1 MiB with its
//     attributes, and ten attributes (SQSDeveloperGuide/quotas-messages.html).
//   - A standard queue may deliver a message twice, also one that was deleted: it does when
//     Repeat asks for it (SQSDeveloperGuide/standard-queues-at-least-once-delivery.html).
//
// # Faults
//
//	                        done?   the caller gets
//	Fail(err)               no      err
//	Hang()                  no      its ctx's error, when ctx has ended
//	Slow(d)                 later   the answer, d later
//	SlowAnswer(d)           yes     the answer, d later
//	LoseAnswer(err)         yes     err
//	Then(func)              yes     the answer, after func has returned
//	RefuseEntries(code, …)  others  Failed, for these entries
//	SkipEntries(done, …)    as done nothing about these entries
//
// Times(n) has a fault happen n times, When to some calls alone, and several faults of one
// operation happen together. Errors are wrapped as the SDK does, in a
// *smithy.OperationError, so that a program that compares them without errors.As fails
// its test.
//
// # Clock
//
// All times are those of package time, so a test in a synctest bubble waits for hours in
// no time. What the queue has must be looked at within the bubble, since its clock is not
// the one outside. An *SQS that was made before the bubble, with messages on it, may be
// used in it: those are visible.
//
// # Differences to SQS
//
// A standard queue hands out its oldest message first, and SQS promises no order. Counts
// are exact, changes are there at once, and any number of messages may be in flight.
// Nothing is throttled, encrypted or forbidden, fair queues share no more fairly than
// others, and there are no MD5 digests. A change of a FIFO queue's Delay leaves the messages
// alone that it has. ReceiveRequestAttemptId is ignored.
package sqstest
