// Package kinesisproducer puts data on a Kinesis stream so that each key's data
// lies there in the order in which it was put, packed many to a record, and
// verified record by record.
//
// # The protocol
//
// A key belongs to a bucket (package kpl). Data that is put waits in its
// bucket's line. A bucket has at most one aggregate in the air: when it is free
// and its oldest datum has waited for Linger, or a full aggregate waits, the
// next aggregate is cut from the front of the line. Aggregates of several
// buckets travel in one PutRecords call. When the call is answered, the data of
// a record with a sequence number is acknowledged; a record with an error code
// is sent again, the same bytes, before anything behind it in its bucket.
//
//	Put ──► bucket's line ──► one aggregate in the air ──► PutRecords ──► acked
//	                               ▲                            │
//	                               └──── the same bytes again ──┘ throttled, failed, no answer
//
// So order holds for each key although PutRecords promises none, even within a
// call: two records of one bucket are never in the air together.
//
// # Failure by failure
//
//   - A record fails (throttled, internal): it alone is sent again after a
//     pause; other buckets go on. The record's own error code counts, not
//     FailedRecordCount.
//   - The call fails, or its answer is lost: all its records are sent again.
//     What was stored already then lies on the stream twice, the second time
//     still before anything behind it: readers drop repeats by sequence.
//   - Put's context ends first: Put returns how many of its data, from the
//     first, were acknowledged. What was not may still be sent, or lie there
//     already; sending again from acked on keeps the key's order, because what
//     waits in the line is withdrawn and what is in the air is finished before
//     the key's next datum is taken.
//   - Memory: at most MaxPending bytes wait; Put blocks for room.
//   - Close: what waits is sent until its context ends.
package kinesisproducer
