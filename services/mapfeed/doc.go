// Package mapfeed is the live map: it reads every shard of the stream from the
// tip, and pushes what lies in each client's view over one WebSocket a tab.
//
// # Reading
//
// Every replica reads every shard (package points, Live). With a database and on
// a backend that has fan-out, each leases one of the stream's consumers mapfeed-1,
// mapfeed-2 and so on, and points are pushed to it: 1 ms after they arrive (p50 in
// the demo), where polling takes 270 ms. Where none is free it polls, and
// /v1/status says why.
//
// # Frames
//
// A client tells as JSON text what it looks at and what it listens to:
//
//	{"type":"view","west":-56.3,"south":-35,"east":-56,"north":-34.8}
//	                                 and "format":"json" for positions as JSON
//	{"type":"ride","ride_id":"…"}    events of that ride follow, if it may see them;
//	                                 with "after":"12" those after the one whose seq is 12
//	{"type":"driver"}                a driver's own duty and offers follow
//	{"type":"shown_ride"}            one simulated ride after the other follows, for anybody,
//	                                 until {"type":"shown_ride","stop":true}
//
// The server sends text {"type":"hello"|"ride_event"|"driver_state"|"vehicle"|
// "shown_ride"|"error",…} and binary frames of positions, little-endian (or, where
// they are asked for as JSON, text {"type":"positions","kind":"moved"|"all",…} with the
// same parts by name, and null for what is not known):
//
//	0   u8   version, 1
//	1   u8   kind: 1 vehicles that moved, 2 every vehicle in the view: drop others
//	2   u16  number of vehicles
//	4   u32  ms that the map may be behind the stream; 2^32 - 1: nobody knows
//	8   f64  the server's time, ms since 1970 UTC
//	16  then for each vehicle 40 bytes:
//	    u32 vehicle, i32 latitude × 1e7, i32 longitude × 1e7,
//	    u16 speed in cm/s, u16 heading × 100, f64 fix time in ms,
//	    u32 ms from the stream to here,
//	    u32 what is not known: 1 the speed, 2 the heading, f64 0
//
// What is not known is said, not shown as good: where the stream does not answer,
// the frame tells how long ago what it has was the newest, or that nobody knows. A
// frame comes each half second at least, although nothing moves; and a vehicle has
// gone when the stream has spoken for a minute without it, not while the stream is
// silent itself.
//
// A vehicle's number is a pseudonym that changes for all every ten minutes, so
// that nobody can follow a driver through the day. Those who may know a driver
// (the driver itself, and whoever listens to a ride that it drives now) are told its
// number in a "vehicle" frame. Of a ride that has ended, or has lost its driver, nobody is
// told the number any more; one who was told it before has it until the next change.
//
// # The ride that is shown to everybody
//
// Before any login a page may show what a ride is. That is a ride of a simulated
// rider; it is told by its events' kinds and times, the worker's process and the car's
// number of the moment, and by nothing that names the ride, its ends or a person. Once
// a driver who is a person has accepted it, it is shown no further.
//
// # Handing out
//
// Four times a second the vehicles that moved are encoded, once for all, and sorted by
// the cell of a grid that they lie in: a round. Each client is offered the round, which
// takes no longer however slow the client is; its own goroutine then copies what lies
// in its view, which it finds by the view's cells without looking at the rest. Every
// vehicle there is, and not only who moved, is encoded in a round only if some client
// has a new view.
//
// # A slow client
//
// A slow client delays nobody and costs bounded memory. At most one frame of positions
// waits for it: a list of the rounds that it tells, which all clients share. It has each
// vehicle that moved in the view once, where it is now (the map may skip points, but no
// vehicle; it never shows an older point after a newer). Beyond 8 rounds, two seconds,
// the list is dropped, and the next frame tells every vehicle in the view. Text frames
// may not be skipped: up to TextQueue of them wait.
//
// # The end of a socket
//
// The server closes a socket with a code and a reason, as far as the client takes it:
// 1001 when the server ends; 1008 when the text frames that wait do not fit into their
// queue, or when no pong has come for a minute; 1009 for a message over 4 KiB. A client
// that takes no frame for WriteWithin is disconnected without a word. Each may connect
// again at once: it asks for its view and its rides again, with after for what it has.
package mapfeed
