// Package replay reads a span of the stream again, and makes the rows that a durable
// reader has of it what the stream says, while that reader goes on at the tip.
//
// # Words
//
//	span     from <= arrival < to, by the stream's own stamps
//	fence    the live reader's checkpoints: a span lies wholly below them, or is refused
//	mark     the newest sequence of a driver that had arrived before the span
//	kept     what a shard still has, by its oldest record
//
// # Protocol
//
//	refuse ──> read, shard by shard, children after parents ──> refuse again ──> replace
//	  age, life, fence      stage beside the rows                  age, fence      one transaction
//
// A span of history is its rows with such an arrival. The points are decoded as the
// reader does, judged by the marks of before the span, and staged in a temporary table;
// what is parked is left out, and comes back when the reader is sent back. Then one transaction compares both sides, deletes the rows
// that the stream does not have so and inserts those that are missing. A row that is
// right is not touched. It prints the count and the SHA-256 of the span's rows before and
// after, which psql can repeat:
//
//	COPY (SELECT day, driver, ... FROM history.points WHERE arrived_at >= ... ORDER BY driver, seq) TO STDOUT
//
// The heatmap's rows are sums, so its span is counted into a generation of its own, one
// above the last, of which nobody is shown anything. When it is whole, one transaction
// compares it with the live rows whose first and last arrival both lie in the span, and
// moves those that differ into their place. A row that reaches beyond the span was counted in part
// only, and stays as it was. The generation's SHA-256 is the same each time; a late point
// moves a row to the edges. Consumer group, checkpoints and marks keep generation 1, so
// that neither the live reader nor audit ever meets a generation that is half built.
//
// The live reader is not stopped, and neither its lease nor its checkpoint is touched:
// its rows arrived later than all of the span. It waits for the transaction only where a
// repeat arrives just now of a point whose row is being replaced; the heatmap's waits,
// where a row differs, while those that differ are moved and their hours added up again.
//
// # Failure by failure
//
//   - The span begins before what the stream keeps, or before the stream was created:
//     refused. Also after it was read: its first records may have left while it was.
//   - The stream dropped records before their time (the emulator's has a size): a row
//     that would be deleted, older than all that its shard still has, is no proof against
//     the row. Refused, and all stays as it was.
//   - The span ends above a checkpoint, or a shard has none yet: refused. A reader would
//     meet rows of its own future, and by them take new points for old ones. A second is
//     added, for clocks and for stamps that are not in order.
//   - This process dies, or is stopped: what it staged dies with its connection, and
//     the transaction with it. Nothing is half-written. A generation that was not swapped
//     in stays unseen, and the next replay deletes it.
//   - A late point reaches a row of the heatmap between the comparison and the swap: the
//     row reaches beyond the span from then on, and stays.
//   - History does not keep a driver's points of before the span any more (retention,
//     erasure): a repeat of one of them would be counted again. A day of the stream is
//     younger than what retention drops.
//   - The stream is deleted, or recreated, while it is read: refused by its creation
//     time, or given up after a minute in which no shard answered.
//   - A reshard: the parents are read to their end before their children.
//   - A shard is throttled: the reader at the tip comes first. No more than 1 MiB a second
//     of each shard is read, and less where it is throttled.
//   - The reader is sent back meanwhile, and applies what was parked: refused, for the new
//     row would pass for one that the stream does not have.
//   - A second replay: refused, by an advisory lock that its connection holds.
//   - Retention drops a day meanwhile: before the transaction, and the day's points are
//     left out; or after it, for it has to wait. A day that was dropped is never created again.
//   - A driver is erased meanwhile: likewise, by the lock of those who store points. What
//     its tombstone covers is neither stored nor touched.
//   - A day has no partition and was not dropped: it is created within the bounds that
//     hold for the reader, or all is given up.
package replay
