// Package kinesis is the emulator's Amazon Kinesis Data Streams: shards with
// AWS's limits, sequence numbers that rise through time, five kinds of
// iterators that expire, PutRecords that fails in part, resharding, and fan-out
// as a real event stream.
//
// # What is kept
//
// Topology (streams.json) is replaced by rename: streams, shards,
// consumers. Records lie in segment files, one series for each shard: frames in order
// of arrival, written with one write before the answer. In memory is only a
// sparse index, one entry for each 64 kB. A full segment gets its index beside
// it and is closed, so that opening reads the last segment of each shard alone.
// Retention and the cap on bytes drop whole segments, oldest first; reading
// passes over single records that are out of retention.
//
// # Locks
//
// From the outermost to the innermost:
//
//	Service.changing   one change of topology at a time, with its saving
//	Service.mu         the map of streams
//	stream.mu          shared by puts and by whoever looks at shards; alone to
//	                   change the topology: a closed shard gets no record more
//	shard.mu           index, limits, counts, and the write itself
//	clock.mu, subscriptions.mu
//
// What a stream's topology is (streamInfo) never changes: a changed copy is
// saved and then takes its place, so that a save that fails changes nothing.
// Puts hold one shard's lock at a time, so shards do not wait for each other.
// Reading holds none: it asks the index for a part of a file (from), opens the
// file, and reads bytes that do not change any more. Where retention took the
// file away meanwhile, it asks again.
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
//     live on, since they hold all that they mean; subscriptions end, and go on
//     from their continuation, which stays valid.
//   - A shard's write fails: its records fail with InternalFailure, each by
//     itself, and none of them is there; other shards' are.
//   - Saving the topology fails: the call fails, and nothing has changed.
//   - Killed when the topology was saved, but not yet removed what it no longer
//     names: the next start removes it.
//   - Bytes of a segment went bad: reading at that place fails with
//     InternalFailure; in the last segment the rest is cut off when it is opened,
//     kept in a copy (package journal), and said in the log.
//   - An index beside a segment is torn or missing: the segment is read whole.
//   - streams.json is of another version: ErrFormat, and nothing is touched.
//
// # What differs from AWS
//
// Changes take effect before the answer, so that a stream is always ACTIVE; a
// consumer is CREATING for half a second. Calls of control operations are not
// limited, and UpdateShardCount not to ten a day. Streams on demand are refused.
// Encryption is only said.
package kinesis
