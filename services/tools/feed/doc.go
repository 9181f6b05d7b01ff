// Package feed sends real recordings to Tandem's public API: GPS traces to
// location, trips to booking. It speaks HTTP only.
//
// The header tells the format: GPS traces with a POLYLINE of one fix every
// 15 s (Porto), trips with pick-up and drop-off (New York), or plain
// driver,time,lat,lon. A line that cannot be read is reported with its number
// and why, and skipped: never fatal, never silent.
//
// Points keep their recorded times, and a point's sequence is its recorded time
// in ms; driver ids are made of the file's hash and the recorded id, with a hash
// of the id where it had to be altered or cut. So a file that is fed twice has the
// same points, which are stored once, and two drivers never become one. One driver's trips
// are merged by time; of two points of one driver at the same time the second is
// refused by name. The points of a file are in memory while it is fed, about 60
// bytes each.
//
// Rides are a closed loop: at most as many are open as there are drivers, and
// feed brings its own drivers, who stand where the recorded pick-ups are, take
// the offers and drive. Idempotency keys are made of the file's hash and the
// line, so a trip that is fed twice is one ride. When feed ends, its drivers
// finish the rides that they have, also those of other riders, and go off duty.
//
// # Going on
//
// How far a file was fed is noted for each gateway, with one of the newest things
// that Tandem took. A feed that resumes asks Tandem for that: where it is unknown,
// the data are others, and the file is fed from its start. Every promise goes to a
// ledger beside the demo's, so that an audit proves that what was accepted is
// stored.
package feed
