// Package reshard splits, merges and scales the shards of a stream while it is
// written and read, and shows the lineage before and after.
//
// A change is planned first, from the list of shards alone: what cannot be is
// refused with what is allowed, before Kinesis is asked for anything. Then it is
// asked once, and the stream is looked at until it is ACTIVE again and the change
// is in its list. Where the wait ends sooner, the change goes on at Kinesis all
// the same: nothing can be taken back but by the opposite change.
//
// Nothing else has to be told: the producer names a hash key for each record, so
// the records of a parent go to its children from then on; shardreader and
// shardgroup read a parent to its end before its children.
//
//	lineage   all shards that the stream still lists, with their parents
//	bucket    one of the equal parts of the hash keys that a producer puts its
//	          records to (package kpl); a shard without one stays empty
package reshard
