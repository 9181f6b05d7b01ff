// Package sqs is the emulator's Amazon SQS: standard and FIFO queues as AWS is
// allowed to behave, not as memory happens to.
//
// A standard queue mostly hands out its oldest message, sometimes another
// (Reorder), and rarely one that was deleted already (Duplicate), both by seed.
// A FIFO queue keeps the order of each message group and hands out no more of a
// group while one of its messages is in flight; within five minutes a
// deduplication id is taken once.
//
// # A queue in memory
//
//	         add                    take, fly
//	send ─────────> ready (by seq) ───────────> timed (by time) ── remove: deleted
//	  └─ delayed ─> timed (by time) <─ makeVisible: due, or not deleted in time ─┘
//
// ready and timed are heaps: nothing walks the queue to receive, delete or wait.
// Of a FIFO queue only the first message of each free group stands in them.
// What is too old goes at the next receive, or when it is counted.
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
// A torn end of the journal is cut off and logged; bytes that went bad before
// whole entries are an error in the log, and kept beside it for a person. An
// entry of another version stops Open.
//
// # Other differences to AWS
//
// A deletion is done at once, as are changes of attributes. Nobody is refused by
// a Policy, nothing is encrypted, fair queues share no more fairly than others,
// a FIFO queue has no limit of calls a second, and looks for groups in all of
// its messages, not only the first 120,000. AddPermission and RemovePermission
// are not there: set the Policy. Queues have no tags: TagQueue, UntagQueue and
// ListQueueTags are unsupported, and CreateQueue ignores tags.
// ReceiveRequestAttemptId is ignored: a receive that is tried again returns the
// next messages.
package sqs
