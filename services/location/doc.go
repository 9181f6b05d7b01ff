// Package location takes drivers' GPS points and puts them on the stream. It
// stores nothing: 202 means that the stream has acknowledged every point that
// was not refused by name. A 503 says from which sequence on to send again.
//
// Which points are valid is decided here. A point that is not is refused with the
// name of the field that is wrong, and the rest of its batch is taken.
//
// A body may be packed with gzip. The limit on it counts what was sent, and what that
// unpacks to: a bomb is refused when it has unpacked to a byte more than the limit.
//
// # Order
//
// A sequence is the fix time in ms, or one above the one before: it lies at its
// fix time or at most a day above it, rises within a batch, and does not fall below
// the first of the driver's last batch. Between the first and the last of that
// batch it may fall, for a batch whose answer was lost is sent again. An importer
// may begin its file again, whatever it sent last.
//
// One batch of a driver is under way at a time; the next one waits for it. Each
// batch gets a stamp, the time, above the stamp of the driver's batch before it,
// and each point carries it to the stream (event.Point.Taken). Location
// remembers the last batch of 50,000 drivers, in this process, since its start: it
// does not notice what comes late for others. By the stamp `tandem audit` tells such
// a point, which its driver sent late, from one that the stream has reordered.
//
// # Places
//
// 0,0 is refused, and so is a point that lies too far from the one before in its
// batch: over 100 m/s, where at least a second counts.
//
// # A hot bucket, and too many shards
//
// /metrics has the points and bytes of each bucket (tandem_bucket_bytes_total): one that
// nears 1 MB a second alone is all that a shard takes, and more shards do not help it. It
// also has the tries that failed, by cause, and how many shards are open, beside the
// number of buckets: of more shards than that, the rest is empty. That is logged, once,
// within a minute.
package location
