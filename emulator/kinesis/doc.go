// Package kinesis is the emulator's Amazon Kinesis Data Streams: shards with
// AWS's limits, sequence numbers that rise through time, five types of
// iterators that expire, PutRecords that fails in part, resharding, and fan-out
// as a real event stream.
//
// # Glossary
//
//	topology   what is stored of the streams except their records: shards,
//	           consumers, settings (streamInfo, shardInfo)
//	log        the records of one shard, on disk
//	segment    one file of a log, with a sparse index of indexEntry
//	span       a part of a segment that can be read without a lock
//	cursor     the content of a shard iterator
//	tip        the sequence number above a shard's newest record
//	horizon    the time before which records are out of retention
//	fanOut     one answer of SubscribeToShard
//
// # What is stored
//
// The topology (streams.json) is replaced by rename. Records are in segment
// files, one series for each shard: frames in order of arrival, written with one
// write before the answer. Memory holds only a sparse index, one entry for each
// 64 kB. A full segment gets its index beside it and is closed, so that opening
// reads only the last segment of each shard. Retention and the cap on bytes drop
// whole segments, oldest first; reading passes over single records that are out
// of retention.
//
// # Locks
//
// From the outermost to the innermost:
//
//	Service.changing   one change of topology at a time, with its saving
//	Service.mu         the map of streams
//	stream.mu          shared by puts and by readers of the topology; alone to
//	                   change the topology: a closed shard gets no more records
//	shard.mu           index, limits, counts, and the write itself
//	clock.mu, subscriptions.mu
//
// A streamInfo never changes: a changed copy is saved and then replaces it, so
// that a save that fails changes nothing. Puts hold one shard's lock at a time,
// so shards do not wait for each other. Reading files holds no lock: it asks the
// index for a span, opens the file, and reads bytes that do not change any more.
// Where retention removed the file meanwhile, it asks again.
//
// # Fan-out
//
// A subscription takes the shard's channel of arrivals, reads to the tip, sends,
// and waits for the channel, which the next put closes. Nothing polls. Records
// that a subscriber has not taken are in the segments, not in memory, so that a
// slow one costs nothing; one that stops reading is cut off (package wire).
//
// # Failure by failure
//
//   - Killed: records and topology reopen as they were acknowledged. Iterators
//     stay valid, since they hold their whole state; subscriptions end, and go
//     on from their continuation, which stays valid too.
//   - A shard's write fails: its records fail with InternalFailure and the
//     disk's reason, each by itself, and none of them is stored; the records of
//     other shards are.
//   - Saving the topology fails: the call fails, and nothing has changed.
//   - Killed after the topology was saved, before the files that it no longer
//     names were removed: the next start removes them.
//   - Bytes of a segment went bad: reading them fails with InternalFailure; in
//     the last segment the rest is cut off when it is opened, kept in a copy
//     (package journal), and reported in the log.
//   - An index beside a segment is torn or missing: the segment is read whole.
//     On a full disk it stays so until a start that finds room.
//   - streams.json is of another version: ErrFormat, and nothing is touched.
//
// # What differs from AWS
//
// Changes take effect before the answer, so that a stream is always ACTIVE; a
// consumer is CREATING for half a second. Calls of control operations are not
// limited, and UpdateShardCount not to ten a day. On-demand streams are refused.
// The encryption of a template's stream is described, and nothing is encrypted.
package kinesis
