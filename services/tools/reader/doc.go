// Package reader is what a person does with a durable reader of the stream, which is a
// consumer group: look at its shards, pause and resume it, send it back to a time, and
// let it pass a record that it can't apply. `tandem reader` and the console's API call it.
//
// # The acts
//
//   - pause: nobody reads the shards until they are resumed. Once it has returned nothing
//     more is applied of them. They fall behind, and the stream keeps what they miss for
//     as long as it keeps anything.
//   - resume: they are read on from where they stood.
//   - seek: what has arrived since a time is read again. It goes back only: forward would
//     pass over records. Only groups whose rows come out the same may do it (rereads). A
//     record that was parked or skipped is applied then, if it can be by now, and counts as
//     parked no more; for history and heatmap it is as if it had never been in the way.
//   - park: the record at which a shard stands is written to dead_records, and the shard
//     goes on behind it. The console says that something is set aside, and audit counts
//     the point as parked.
//   - skip: the same, and nobody needs to look at the record any more: the console is
//     silent about it, audit counts it as parked. On a shard that stands at no record it
//     says so of the records that were parked before.
//
// An act and its row of operations.acts are one transaction (package deadletter has the
// table): both are there, or neither. Package shardgroup says how an act reaches the
// process that reads the shard.
package reader
