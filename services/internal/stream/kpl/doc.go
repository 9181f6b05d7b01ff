// Package kpl reads and writes the Kinesis Producer Library's aggregated
// record: many user records packed into one Kinesis record. The KCL reads it
// as it is, AWS's deaggregation modules read it in Lambda.
//
//	f3 89 9a c2 | protobuf AggregatedRecord | MD5 of the protobuf (16 bytes)
//	              partition_key_table       ["driver-7", "driver-9"]
//	              explicit_hash_key_table   ["2658455991569831745807614120560689152"]
//	              records                   {key 0, hash key 0, data}, {key 1, hash key 0, data} ...
//
// The words: a user record is what a producer puts, an aggregate is many of them
// in one Kinesis record, and a user record's sub-sequence is its place in the
// aggregate. An explicit hash key is one that the producer sets in place of the
// partition key's MD5. A bucket is one of the equal parts of the range of hash
// keys.
//
// # Which shard
//
// Kinesis sends a record to the shard whose range of hash keys holds the
// record's hash key: MD5 of its partition key, or its explicit hash key. A
// reader such as the KCL then drops an aggregate that has a user record whose own
// hash key lies outside the shard's range, because after a split it belongs to the
// other child.
//
// So an aggregate must not straddle a split. Here it holds the keys of one
// [Buckets] bucket alone, and carries the middle of the bucket's range as
// explicit hash key, on the Kinesis record and on every user record in it.
// While shards are bounded by bucket bounds (no more shards than buckets, split
// evenly), a bucket lies in one shard whole and nothing need be predicted.
//
// # Outside of the shard
//
// A user record may lie outside: its aggregate was made before a split for the whole of
// the parent, and came to one child.
//
//   - The KPL predicts the shard, sees by the answer that it was another one, and sends
//     those user records again that lie outside of that one's range; it counts those
//     inside as put. So a reader of its records must leave out the first, and only them:
//     then each is seen once. That is what [DeaggregateWithin] does.
//   - The KCL's own rule is coarser. Once it meets a user record outside, KCL 2 drops the
//     whole aggregate, those inside as well, and KCL 1.8.8 hands the aggregate on as one
//     record.
//   - AWS's aggregation modules predict nothing and send nothing again. They put any keys
//     into one aggregate, which lies where its first key belongs: for their records the
//     rule is a loss.
//   - Package kinesisproducer's user records never lie outside: the rule does nothing.
//
// A reader cannot tell who wrote an aggregate. So [Deaggregate] leaves nothing out: a user
// record of the KPL may then come twice, as it may after any lost answer, and who reads
// must know repeats anyway. Package shardreader applies the rule where Options.Outside is
// set, which is told how many it leaves out.
//
// # Reading
//
// A record that is not an aggregate is one user record, and so, as in the KCL,
// is one that merely starts like an aggregate but whose MD5 does not fit.
// If the MD5 is right, everything must be right: anything else is [ErrCorrupt],
// never a panic and never a part of the records. An aggregate of more than
// [MaxEntries] user records or keys is refused too: otherwise a small record could
// make a reader allocate much memory.
package kpl
