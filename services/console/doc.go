// Package console is the operations API: it looks at every part of Tandem
// while it runs and says in one sentence whether all is well, or what is wrong and
// who notices.
//
// It changes nothing by itself. An admin may kill a worker (killWorker), redrive or
// discard dead letters (package tools/deadletter), and pause a reader, send it back or let
// it pass a record (package tools/reader). Counts come from SQS's own
// attributes, the rest from each service's GET /v1/status. A part that does not answer
// is shown as such and is no error of the console. Parts are asked when somebody asks,
// and the answer is shared for a moment: many open consoles cost no more than one, and a
// closed one costs nothing.
//
// # Who holds a message, and kill -9
//
// SQS tells nobody which consumer has a message, so each dispatch worker says in its
// status what it has in flight. In `tandem demo` alone, where the workers are processes
// of this machine that are started again, an admin may kill the one that holds a ride's
// message: the ride is all that is named, the worker is asked again right before, and
// the log says who did it.
//
// # What is not known is not 0
//
// Of each part it remembers, in memory, the last answer and when that came
// (heard_at): a part that is silent is shown as it was, with its age, and delays the
// others by half a second at most. What never answered has no numbers. "All well" is
// said only when every part has said so within the last three seconds.
//
// How far a reader has read is remembered, too, for each shard. One that was killed
// answers again at once, and yet reads nothing until its predecessor's lease ends:
// it is as far behind as what arrived since it was known to read. How many points
// those are location's counters tell, as far back as somebody has looked.
//
// What it says is for people: no error's own text is among it. That is in a
// service's log, and in its /v1/status.
package console
