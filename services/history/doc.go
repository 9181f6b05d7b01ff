// Package history keeps every point of the past, exactly once: a consumer group
// of the stream whose rows and checkpoint are one transaction (package points).
// It answers where a driver was last (a driver's app asks at login, to go on
// counting its sequences from there) and where it has been.
//
// The key of history.points, driver and sequence, decides what "once" means: a
// repeat that a producer's retry put on the stream meets its own row there and is
// left out. A point that came after a newer one of its driver and has no row yet
// is stored too, flagged as not rising. The stamp that location gave each point is
// stored with it: by that `tandem audit` tells whose fault it was.
//
// # Days
//
// history.points has a partition for each UTC day of sequences. Points of the day
// on which they arrive, or of the next or the one before, always find theirs. For
// those of other days, which importers send, at most 100 partitions are created for
// a batch and 400 in 24 hours; points beyond that are parked in dead_records with
// the reason, and a rebuild brings them back.
//
// A partition is dropped once none of its points arrived within Config.Keep (7 days
// by default), so that a point stays at least that long, an import's too. Its points
// are counted in history.removed in the same transaction. Its day is not created
// again: a point of it that comes later is counted there as expired, in the
// transaction of its checkpoint. A drop waits 100 ms for its locks, then lets the
// writers go on, and tries again.
package history
