// Package audit proves Tandem's guarantees (docs/guarantees.md) on what exists:
// the rows of all schemas in one read-only snapshot, the queues, the stream from
// its oldest record, and the ledger of what a client was promised.
//
// # On a running system
//
// While load is on, a point that was promised a moment ago is rightly not in
// history yet. So everything is judged as of the snapshot:
//
//   - promised points count up to the arrival time that history's checkpoints
//     vouch for (the slowest shard's, less a second for clocks);
//   - promised rides count up to the snapshot's time;
//   - history and heatmap are compared although their checkpoints differ: the
//     stream tells which points lie between the two.
//
// With Config.Wait the audit first waits until both readers have passed the
// moment at which it began, so that all that was promised before it counts.
//
// # What it does not judge
//
// Two guarantees are about what happens while Tandem runs, which no row tells: that
// reading again writes the same rows, and that who is slow delays nobody else. Others
// are judged in part, as the Config says. The report names them with the reason.
//
// # What adds up
//
// Over distinct (driver, sequence) of the ledger:
//
//	promised = stored + erased + expired + parked + lost in a declared gap + lost
//
// and lost is a violation. Over the rows:
//
//	heatmap's sum = history's rows + removed ones - those that did not rise
//	                - those that only history has passed + those that only heatmap has
//
// # What it costs
//
// It reads the stream from its oldest record, 1 MiB a second of each shard, to what had
// arrived when it began: a shard that was full for a day takes a day. The sequences of the
// stream and of the ledger are in memory meanwhile: eight bytes for each point on the
// stream and sixteen for each that was promised, and what their lists have in reserve, so
// 4 GB for a day of 5,000 points a second. So long its snapshot holds back vacuum, and
// retention drops no day. It gives up after a minute in which none of the shards that it
// still reads has answered. Config.NoStream spares all of that.
//
// # Order
//
// A point that came after a newer one of its driver breaks the order, unless its
// driver sent it late. Location stamps each batch of a driver, and the stamps rise: a
// point was sent late if location took it after all that lie before it. Such points
// are counted apart (sent_not_rising in history, sent_out_of_order on the stream).
// A point without a stamp counts as reordered.
package audit
