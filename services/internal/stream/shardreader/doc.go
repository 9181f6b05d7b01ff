// Package shardreader reads a Kinesis stream: one shard from a position, or
// all shards in the order that resharding asks for. It polls GetRecords or reads
// by enhanced fan-out, unpacks aggregated records and hands over batches. It
// keeps nothing: where a reader has come to is the caller's to remember (package
// shardgroup does, in Postgres).
//
// # Words
//
//	shard        a part of the stream, read in order; after a split or merge it is
//	             a closed parent, and its children go on
//	position     the last record of a shard that was handled: the Kinesis record's
//	             sequence number and the user record's place in it (Sub)
//	batch        what one GetRecords call or one event brought, in order
//	next         the position after a batch
//	tip          the end of a shard for now: all that has arrived was read
//	drained      said of a closed shard whose last record was handled
//	poll         one GetRecords call, with an iterator that says where
//	subscription the events of one SubscribeToShard call, by a consumer
//	turn         one poll, or one whole subscription
//	pace         how many calls a second a poller allows itself
//	trimmed      said of records that passed the stream's retention
//	recreated    said of a stream that was deleted and created again
//	end          where a read stops, if it has one (Start's Until and Through)
//
// # Model
//
//	start ──> GetShardIterator ──> GetRecords ──> handle(Batch) ──┐
//	              ▲                    ▲                          │ wait (pace)
//	              │ expired, refused   └──────────────────────────┤
//	              └──── after Next ───────────────────────────────┘
//
// With a fan-out consumer (Options.Consumer, asked before each turn):
//
//	                     ┌──────── events ────────┐
//	start ──> SubscribeToShard ──> handle(Batch) ─┘
//	              ▲     │ refused: poll meanwhile
//	              └─────┴── ended after 5 minutes, broken: after the last event
//
// Polling shares a shard's five calls and 2 MB a second with all who poll, and a
// record waits for the next call. By fan-out a consumer has 2 MB a second of
// each shard to itself, records come as they arrive, and each consumer costs
// money by the hour. Both go on from the same position, so a shard may be read
// by one, then by the other.
//
// handle is called for one batch of a shard at a time; the next GetRecords is
// sent, and the next event taken off the connection, only after it has returned
// nil: a slow handler reads slowly, it never fills memory. A handler's error ends
// the reading and is returned.
//
// # What always holds
//
//   - A shard's records are handed over in order, none left out, none twice,
//     for as long as one call of Shard lives, whichever way it is read and
//     however often that changes. Across calls it is the caller's
//     position that decides: a record is handed over again exactly when it comes
//     after that position.
//   - A position moves its own shard alone: All with positions of some shards
//     reads the others from their oldest record.
//   - A resumed read asks AT the position's record and drops the user records
//     up to Sub. So a position may lie inside an aggregate, and the reader sees
//     when the record it left off at is no longer kept (Batch.Trimmed).
//   - A child shard's first record is handed over after its parents' last one.
//   - A record of a recreated stream is never handed over as the old one's.
//   - What State says of how far behind a shard is never stands still: where no
//     answer has come or been handled for a while, the time since is added. A
//     reader has caught up only when the children of drained shards were started.
//   - Of two spans of which one ends where the other begins (At, Until) each record
//     is in one, whatever the arrival stamps: the first record stamped at that time or
//     later, in the shard's order, is where the second begins.
//   - Ending the context is how reading is stopped, so Shard and All return nil
//     once it has ended. An error is always a reason that reading could not go on.
//
// # Failure by failure
//
//   - Throttled (ProvisionedThroughputExceeded, LimitExceeded): the call rate is
//     halved, and rises by a step with each success (AIMD), so that readers
//     which know nothing of each other share a shard's five calls a second. The
//     SDK's own retries are off for GetRecords: they would hide the signal.
//   - The account's limit of DescribeStreamSummary, 20 calls a second, is shared by
//     everything that runs in it: a Reader sends ten at once, then ten a second, for
//     all of its shards. That it is throttled does not slow the shard's calls.
//   - Far behind: at most CatchUpBytes a second, less where the shard throttles, so
//     that readers share its 2 MB/s. A call asks for what may be read until the
//     next one, not for all there is: 10 MiB at once would keep every reader of the
//     shard out for 5 s. A full shard takes 1 MB/s: one reader alone comes nearer by
//     1 MB a second, two that poll beside each other don't.
//   - A server that is slow by the record (LocalStack with many of them): a call
//     asks for half as many records after an answer that took more than half of
//     CallTimeout or did not come, and for twice as many while answers come soon.
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
//   - Fan-out: the subscription ends (after 5 minutes, or because a slow handler
//     let the connection fill up) or breaks: subscribe again, after the last
//     event's ContinuationSequenceNumber, which moves on where no record comes,
//     or after a failure as any resumed read. No event for 30 s, not even an
//     empty one: the connection died unnoticed; likewise.
//   - Fan-out: in use (AWS allows a consumer one subscription a shard, and
//     another may take it over after 5 s), throttled, the consumer deleted or not
//     yet active: the shard is polled meanwhile, and a subscription tried again
//     after 1 s, then 2, up to 30 s. Two processes that use one consumer both
//     read everything, now by fan-out, now by polling; leasing it (package
//     shardgroup) prevents that.
//   - Fan-out: the consumer may not be used any more (held ends): the
//     subscription is closed and the shard polled, until Consumer returns one
//     again. A frozen process that wakes asks Consumer before it subscribes.
//   - A record that claims to be an aggregate and can't be unpacked: handed over
//     whole, with its raw data. The handler can't decode it and says so.
//
// What AWS says of fan-out:
// docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html and
// API_SubscribeToShardEvent.html beside it.
package shardreader
