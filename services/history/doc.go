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
// the reason, and are tried again where the reader is sent back (`tandem reader seek`).
//
// A partition is dropped once none of its points arrived within Config.Keep (7 days
// by default), so that a point stays at least that long, an import's too. Its points
// are counted in history.removed in the same transaction. Its day is not created
// again: a point of it that comes later is counted there as expired, in the
// transaction of its checkpoint. A drop waits 100 ms for its locks, then lets the
// writers go on, and tries again.
//
// # Playback
//
// GET /v1/playback answers an admin with what all drivers did in a viewport and a span of
// arrivals, by arrival, then driver, then sequence. A page has limit points at most, and
// no slice of time is begun after two seconds, so it may have fewer, or none: next says
// how to go on, and only a page without it is the last. There is none before the reader
// has applied all that arrived in the span; who is there ahead of it asks again after a
// second. What is stored while one reads, of arrivals that were read already, is not in
// it. A page is binary, little-endian (or JSON, to
// Accept: application/json):
//
//	0   u8   version, 1
//	1   u8   kind: 3
//	2   u16  number of drivers
//	4   u32  number of points
//	8   f64  the span's begin, ms since 1970 UTC
//	16  then for each point 40 bytes, as a vehicle in mapfeed's frames:
//	    u32 driver: its place in the list below, from 0,
//	    i32 latitude × 1e7, i32 longitude × 1e7,
//	    u16 speed in cm/s, u16 heading × 100, f64 fix time in ms,
//	    u32 ms from the span's begin to the arrival,
//	    u32 what is not known: 1 the speed, 2 the heading, f64 sequence
//	    then for each driver u8 length and its id,
//	    then u8 length and next, of length 0 where there is no more
package history
