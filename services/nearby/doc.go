// Package nearby knows where drivers are now, in memory, and answers which are
// near a place: the fourth reader of the stream, added without touching a
// producer. Dispatch asks it, and booking asks it where a driver is.
//
// It stores nothing: it begins a minute back and is ready when it has caught up
// with the stream. A driver that has been silent for a minute is no longer near
// anything. While the stream is not read (this process was stopped, or the stream is
// away) nobody is known to be near or silent, and questions are answered 503, which
// dispatch takes for nearby being away. While one shard is not read, GET /v1/nearby tells the
// others' drivers, with complete false: dispatch offers to those, or looks again later. A
// driver who is not known may be on that shard: that is 503 then, and not 404.
//
// Like mapfeed it reads by fan-out where one of the consumers nearby-1, nearby-2 and so on
// is free, and polls where none is (package points).
package nearby
