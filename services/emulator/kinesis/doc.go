// Package kinesis is the emulator's Amazon Kinesis Data Streams: shards with
// AWS's limits, sequence numbers that rise through time, five kinds of
// iterators that expire, and PutRecords that fails in part.
//
// # What is kept
//
// Topology (streams.json) is replaced by rename. Records lie in segment files,
// one series for each shard: frames in order of arrival, written with one write
// before the answer. In memory is only a sparse index, one entry for each 64 kB.
// A full segment is closed with its index beside it, so that opening reads the
// last segment of each shard alone. Retention and the cap on bytes drop whole
// segments, oldest first.
package kinesis
