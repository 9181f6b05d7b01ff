// Package feed sends real recordings to Tandem's public API: GPS traces to
// location, trips to booking. It speaks HTTP only.
//
// The header tells the format: GPS traces with a POLYLINE of one fix every
// 15 s (Porto), trips with pick-up and drop-off (New York), or plain
// driver,time,lat,lon. A line that cannot be read is reported with its number
// and why, and skipped: never fatal, never silent.
//
// Points keep their recorded times, and a point's sequence is its recorded time
// in ms; driver ids are made of the file's hash and the recorded id. So a file
// that is fed twice has the same points, which are stored once. One driver's trips
// are merged by time; of two points of one driver at the same time the second is
// refused by name. The points of a file are in memory while it is fed, about 60
// bytes each.
//
// Rides are a closed loop: at most as many are open as there are drivers, and
// feed brings its own drivers, who stand where the recorded pick-ups are, take
// the offers and drive. Idempotency keys are made of the file's hash and the
// line, so a trip that is fed twice is one ride.
package feed
