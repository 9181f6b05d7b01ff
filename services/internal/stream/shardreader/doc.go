// Package shardreader reads a Kinesis stream: one shard from a position, or
// all shards in the order that resharding asks for. It polls GetRecords,
// unpacks aggregated records and hands over batches. It keeps nothing: where a
// reader has come to is the caller's to remember (package shardgroup does, in
// Postgres).
//
// # Model
//
// A shard is a log. Position names the last record that was handled: the
// Kinesis record's sequence number and, because one Kinesis record carries
// many user records, the index of the user record in it (Sub). A Batch is what
// one GetRecords call brought, in order; Next is the position after it.
//
//	start ──> GetShardIterator ──> GetRecords ──> handle(Batch) ──┐
//	              ▲                    ▲                          │ wait (pace)
//	              │ expired, refused   └──────────────────────────┤
//	              └──── after Next ───────────────────────────────┘
//
// handle is called for one batch of a shard at a time, and the next GetRecords
// is sent only after it has returned nil: a slow handler reads slowly, it never
// fills memory. A handler's error ends the reading and is returned.
//
// # What always holds
//
//   - A shard's records are handed over in order, none left out, none twice,
//     for as long as one call of Shard lives. Across calls it is the caller's
//     position that decides: a record is handed over again exactly when it lies
//     behind that position.
//   - A resumed read asks AT the position's record and drops the user records
//     up to Sub. So a position may lie inside an aggregate, and the reader sees
//     when the record it left off at is no longer kept (Batch.Trimmed).
//   - A child shard's first record is handed over after its parents' last one.
//   - A record of a stream made anew is never handed over as the old one's.
//
// # Failure by failure
//
//   - Throttled (ProvisionedThroughputExceeded, LimitExceeded): the call rate is
//     halved, and rises by a step with each success (AIMD), so that readers
//     which know nothing of each other share a shard's five calls a second. The
//     SDK's own retries are off for GetRecords: they would hide the signal.
//   - Far behind: at most CatchUpBytes a second, so that one reader catching up
//     leaves the others room in the shard's 2 MB/s.
//   - Expired iterator (5 minutes, a frozen process): a new one after the last
//     position handed over.
//   - Connection refused, 5xx, time-out: again with backoff, without end; the
//     caller's context is the limit. State says what is wrong.
//   - The stream is gone, an iterator or sequence number is refused: the
//     stream's creation time is compared with the one that reading began with.
//     Another one is ErrStreamChanged. The same one: again with backoff. None:
//     wait until there is one.
//   - The shard is gone though the stream is the same (all its records passed
//     retention after it was closed): ErrShardGone.
//   - A record that claims to be an aggregate and can't be unpacked: handed over
//     whole, with its raw data. The handler can't decode it and says so.
package shardreader
