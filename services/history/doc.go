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
package history
