// Package kinesisproducer puts data on a Kinesis stream so that each key's data
// lies there in the order in which it was put, packed many to a record, and
// verified record by record.
//
// # Words
//
//	item      one piece of data under one partition key: what Put takes
//	bucket    a group of keys that share a hash key, and so a shard (package kpl)
//	queue     a bucket's items, in the order in which they were put
//	record    the aggregate that was cut from the front of a queue, encoded once
//	call      one PutRecords with the records of several buckets
//	in flight said of a record from when it is cut until it is acknowledged
//	linger    how long an item may wait for others to share its record or its call
//	spacing   the time from one record of a bucket to its next
//
// # The protocol
//
// A bucket has at most one record in flight. When it has none and its oldest
// item has waited for long enough, or a full record's worth of items waits, the next
// record is cut. When the call is answered, the items of a record with a
// sequence number are acknowledged; a record with an error code is sent again,
// the same bytes, before anything behind it in its bucket.
//
//	Put ──► bucket's queue ──► one record in flight ──► PutRecords ──► acknowledged
//	                                ▲                       │
//	                                └── the same bytes ─────┘ throttled, failed, no answer
//
// So order holds for each key although PutRecords promises none, even within a
// call: two records of one bucket are never in flight together.
//
// # How long an item waits
//
// As short as costs little. An item of a bucket that was idle goes with the next call,
// and calls for what may wait are a quarter of Linger apart: on a quiet stream data is
// durable after that, or at once. The records of a busy bucket are spaced, so that all
// buckets of a shard together put about 500 records a second there, half of what it
// takes: the more buckets share a shard, the longer an item waits for others, and the
// more share its record. Where records are dear, Spacing is the least. Which buckets share
// a shard is read from the answers, so that a reshard needs no notice. A call takes along
// what would be due within an eighth of Linger; a record that failed keeps its pause.
//
// No item waits longer than Linger. So where more buckets share a shard than 500 times
// Linger in seconds, 50 at 100 ms, it gets buckets ÷ Linger records a second: 640 of 64
// buckets. Over 1,000 times Linger, 100 at 100 ms, a shard throttles such a load, and its
// records wait for each other: have fewer buckets, or a longer Linger. All of this is of
// one Producer; several on one stream add up.
//
// # Shards and buckets
//
// A bucket lies in one shard. So no more shards than buckets have records, and a bucket
// that is hot, near the 1 MB a second that a shard takes, cannot be split: only another
// number of buckets, with a new stream, parts its keys. Options.Report tells each record's
// bucket and shard; a shard that it has not named before is new, and the stream may have
// outgrown the buckets. More shards than buckets do no harm but their price.
//
// # Failure by failure
//
//   - A record fails (throttled, internal): it alone is sent again after a
//     pause; other buckets go on. The record's own error code counts, not
//     FailedRecordCount.
//   - The stream refuses the data for good (InvalidArgumentException,
//     ValidationException): sent again, it would keep its bucket from ever going on. Where
//     a whole call is refused, its records are sent again in smaller calls, and the one
//     that is refused alone is cut in two, until one item is alone. Its Put returns
//     ErrRefused and how many items before it are acknowledged; what the Put has behind it
//     is withdrawn. Nothing is dropped unsaid, and nobody else's Put ends with it. A
//     stream's name that no stream can have ends every Put so, and Ready fails.
//   - Any other error is no fault of the data: no stream, no permission, an expired token,
//     a key that is disabled, a limit, no answer, a code that is not known here. The record
//     is sent again, after pauses of up to two seconds, for as long as it takes: Put ends with its
//     context, and its error says why. The log says it once, as an error where somebody has
//     to mend something.
//   - The call fails, or its answer is lost: all its records are sent again.
//     What was stored already then lies on the stream twice, as a rule before
//     anything behind it. But a call that was given up after CallWithin may still
//     be on its way, and be stored when the network lets it through: that copy
//     lies behind newer data of its keys. No producer can prevent it. So a reader
//     must drop what is not above the newest that it has seen of its key, by a
//     sequence of its own in the data, and not only a repeat of the last item.
//   - Put's context ends first: Put returns how many of its items, from the
//     first, were acknowledged. What was not may still be sent, or be stored
//     already; sending again from acked on keeps the key's order, because items
//     that wait in the queue are withdrawn, and a record in flight is finished
//     before the key's next item is taken. If all of them were acknowledged in
//     that moment, Put returns no error.
//   - One bucket is throttled: its keys wait, and nobody else. Ready judges by
//     time and share: it fails when half of the buckets in use have had nothing
//     acknowledged for two seconds.
//   - Memory: at most MaxPending bytes wait or are in flight; Put blocks for room.
//   - Run's context ends: Put is refused with ErrClosed, and what waits is sent
//     for at most the drain time. Run returns nil, or an error that says how much
//     was left unsent; Puts that still wait then end with ErrClosed.
package kinesisproducer
