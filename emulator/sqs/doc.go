// Package sqs is the emulator's Amazon SQS: standard and FIFO queues that do
// what AWS is allowed to do, not only what a list in memory would do.
//
// A standard queue mostly hands out its oldest message, sometimes another
// (Reorder), and rarely one that was deleted already (Duplicate), both by seed.
// A FIFO queue keeps the order of each message group and hands out no more of a
// group while one of its messages is in flight; within five minutes a
// deduplication id is taken once.
//
// # Words
//
//   - A message is visible when a receive may return it, in flight from a
//     receive until its visibility timeout ends, and delayed until its delay
//     after the send ends. In flight and delayed messages are hidden.
//   - A FIFO message waits while another message of its group is in flight.
//   - A receipt handle names one receive of one message.
//   - A dead letter is a message that was received maxReceiveCount times and
//     moved to its queue's dead-letter queue. A move task brings dead letters
//     back: it redrives them.
//   - A duplicate is a deleted message that a standard queue delivers again.
//
// # A queue in memory
//
//	        add                        putInFlight
//	send ─────────> visible (by seq) ─────────────> hidden (by time) ── remove: deleted
//	  └─ delayed ─> hidden (by time) <─ makeVisible: due, or not deleted in time ─┘
//
// visible and hidden are heaps: nothing walks the queue to receive, delete or
// wait. Of a FIFO queue only the first message of each free group is in them.
// A message that is too old is removed at the next receive, or when the queue's
// messages are counted.
//
// # What is kept
//
// Queues, attributes, sends, deletes, purges, moves to and from a dead-letter
// queue, and move tasks are journalled with one write before they are answered;
// a write that fails changes nothing and answers InternalFailure.
// Receives are not: after a crash messages that were in flight are visible again
// with a receive count of zero, and a handle from before still deletes a message
// until it is received again. On a standard queue that is a second delivery,
// which SQS may do at any time; on a FIFO queue it is a difference to AWS.
//
// A torn end of the journal is cut off and logged. Where bytes went bad before
// whole entries, that is an error in the log, and a copy of them is kept beside
// the journal for a person to look at. An entry of another version stops Open.
//
// A body that is no Unicode (half a surrogate pair, a byte that is no UTF-8) fails
// the send, or the whole batch, with InvalidMessageContents.
//
// # Other differences to AWS
//
// A deletion is done at once, as are changes of attributes. Nobody is refused by
// a Policy, nothing is encrypted, fair queues share no more fairly than others,
// a FIFO queue has no limit of calls a second, and looks for groups in all of
// its messages, not only the first 120,000. AddPermission and RemovePermission
// are unsupported: set the Policy. Queues have no tags: TagQueue, UntagQueue and
// ListQueueTags are unsupported, and CreateQueue ignores tags.
// ReceiveRequestAttemptId is ignored: a receive that is tried again returns the
// next messages.
package sqs
