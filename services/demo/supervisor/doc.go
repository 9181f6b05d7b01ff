// Package supervisor keeps a table of real processes running on one machine:
// it starts them in order, restarts what dies, and leaves nothing behind.
//
// What it promises:
//
//   - A process that dies is started again, at once the first time and with
//     growing pauses if it keeps dying; a minute alive forgets the past.
//   - Each process's listening socket is opened once, by the supervisor, and
//     handed to every incarnation as file descriptor 3. Its port therefore
//     never changes, nobody else can take it in between, and a connection that
//     comes during a restart waits in the socket's backlog.
//   - Nothing outlives the supervisor, however it ends. On Linux every child
//     has a parent-death signal; elsewhere a shell waits beside it for a pipe
//     to close (see Start).
//   - Stop goes through the stages backwards, asks with a signal, and kills
//     what is left when its deadline comes.
//
// Output of each process goes to <logs>/<name>.log, cut by size.
package supervisor
