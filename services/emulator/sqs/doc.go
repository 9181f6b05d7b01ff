// Package sqs is the emulator's Amazon SQS: standard and FIFO queues as AWS is
// allowed to behave, not as memory happens to.
//
// A standard queue mostly hands out its oldest message, sometimes another
// (Reorder), and rarely one that was deleted already (Duplicate), both by seed.
// A FIFO queue keeps the order of each message group and hands out no more of a
// group while one of its messages is in flight; within five minutes a
// deduplication id is taken once.
//
// # What is kept
//
// Queues, attributes, sends, deletes and moves to a dead-letter queue are
// journalled before they are answered. Receives are not: after a crash messages
// that were in flight are visible again with a receive count of zero. On a
// standard queue that is a second delivery, which SQS may do at any time; on a
// FIFO queue it is a difference to AWS.
package sqs
