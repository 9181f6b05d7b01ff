// Package feed sends real recordings to Tandem's public API: GPS traces to
// location, trips to booking. It speaks HTTP only.
//
// # What it takes
//
// Text tables, GPX and GeoJSON, packed by gzip or not, UTF-8, UTF-16 or Western, with lines
// that end in any way. What a table holds is found out by trying: each separator,
// each of the first lines as a header (columns.go has the names that columns have
// in the wild), then the tables that are published without one (sniff.go). Times
// are recognised where they mean the same to everybody (times.go); the caller says
// the rest. A file that is not taken is told what was seen in it. A line that
// cannot be read is reported with its number and why, and skipped: never fatal,
// never silent; only empty lines and comments (#) are no lines.
//
// Every format's points pass one check: a place, a time that a receiver can have,
// and no jump that no car can drive. A speed or a heading that does not follow
// from the points is not sent, and neither is an accuracy: not known is not 0. A
// Porto trace with MISSING_DATA is refused, for the times behind the hole are not
// known.
//
// # What it sends
//
// Points keep their recorded times, and a point's sequence is its recorded time
// in ms; driver ids are made of the file's hash and the recorded id, with a hash
// of the id where it had to be altered or cut. So a file that is fed twice has the
// same points, which are stored once, and two drivers never become one. One driver's trips
// are merged by time; of two points of one driver at the same time the second is
// refused by name. The points of a file are in memory while it is fed, 32 bytes
// each; reading 900,000 of them took a process of 85 MB, of which 35 MB are there
// without a point.
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
