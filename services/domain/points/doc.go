// Package points is what the readers of drivers' points share. There are two
// kinds of reader, each with its own scaffold:
//
//   - Group is durable. Its processes share the stream's shards among them, and
//     its rows and its checkpoint are one transaction (package shardgroup), so
//     every point has its effect exactly once. History and heatmap are Groups.
//   - Live knows where drivers are now. Every process reads every shard and
//     keeps no checkpoint: it begins at the tip of the stream, or a little before
//     it. Mapfeed and nearby are Lives.
//
// A service brings what is its own: a Group's Store writes the rows, a Live's
// Apply takes the newest point. Reading, decoding, deciding which point is new,
// counting, GET /v1/status, GET /v1/seen and /readyz are here.
//
// # Words
//
//   - Arrival: a point together with where and when it arrived on the stream.
//   - mark: the newest sequence of a driver that a reader has applied.
//   - rises: a point rises when its sequence is above its driver's mark. One that
//     does not is a repeat, or it came out of order.
//   - seen: the last few points of each driver that a reader applied, with times;
//     the console asks every reader for them.
//   - latency: from a point's arrival on the stream until a reader applied it.
//
// # What always holds
//
//   - A point that does not rise is never dropped silently. It may be a repeat: a
//     producer sent it twice, or the reader read it twice. Or it may be a new point
//     that came after a newer one of its driver, which would be a fault. Live
//     applies neither and counts both as repeated. Heatmap cannot tell them apart;
//     it adds neither to its sums and counts both as skipped. History can, by its
//     key: it counts the repeat as repeated, and stores the other one flagged as
//     not rising, on which `tandem audit` fails.
//   - A Group decides what rises by marks that were committed. It forgets them
//     when its lease is lost or anything fails, and reads them from its rows again.
//   - What Live applies of one driver only ever rises, for as long as it remembers
//     the driver's mark: what it shows does not go back in time. It remembers the marks
//     of the 100,000 drivers heard of last (maxMarks).
//   - What a Group has set aside is new when it is sent back over it, though newer points
//     of the driver came meanwhile: it has its effect then, once, and the transaction that
//     applies it says so in dead_records (returned_at). History judges whether it rises by
//     what had arrived before it.
//   - A record that is no point holds nothing up. A Group puts all those of a
//     batch into dead_records at once; a Live logs each. Both count it as parked.
//
// # How Live reads
//
// With LiveOptions.FanOut and a database, a Live leases one of the stream's
// fan-out consumers called <name>-1, <name>-2 and so on, and reads by enhanced
// fan-out for as long as it holds the lease: points are pushed as they arrive,
// and the polling readers keep all of what they share. Which consumers exist is
// asked of the stream, not configured: one more in the template lets one more
// replica read so. Where none is free, the database is away or the lease is lost,
// the same shards are polled from the same place on (packages shardreader and
// shardgroup say how); being slower is all that it costs. Detail.Mode tells which
// it is, and why.
package points
