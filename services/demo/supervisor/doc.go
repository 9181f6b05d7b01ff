// Package supervisor keeps a table of real processes running on one machine:
// it starts them in order, restarts what dies, and leaves nothing behind.
//
// What it promises:
//
//   - A process that dies is started again, at once the first time and after
//     growing pauses if it keeps dying. One that lived for a minute counts as new.
//   - A process that hangs is killed, and so started again: one that has answered
//     before and then answers nothing at all for Options.HungAfter. An answer that
//     says "not ready" is an answer: what waits for a dependency is left alone.
//   - Each process's listening socket is opened once, by the supervisor, and
//     handed to every incarnation as file descriptor 3. Its port therefore
//     never changes, no other program can take it during a restart, and a
//     connection made during a restart waits in the socket's backlog.
//   - Nothing outlives the supervisor, however it ends. On Linux every child
//     has a parent-death signal; elsewhere a shell waits beside it for a pipe
//     to close (see Start).
//   - Stop goes through the stages backwards. It asks each process to end with
//     its stop signal, and kills what still runs at its deadline.
//
// The output of each process goes to <logs>/<name>.log. A file that is full
// becomes <name>.log.1, and the one before it is deleted.
//
// An incarnation is one run of a process, from its start to its exit: the same
// name and socket, another pid.
package supervisor
