// Package wire is how the emulator speaks AWS's JSON protocols: it finds the
// operation that a request's X-Amz-Target names, decodes its input, and encodes
// its output or error as the SDKs expect them.
//
// An operation's output is one of three: a value, written by encoding/json; Raw,
// ready-made JSON for answers that are large or frequent; or Stream, which
// answers with messages of application/vnd.amazon.eventstream. AWS does that
// over HTTP/2; the SDK for Go takes it over HTTP/1.1 in chunks as well, which is
// what the emulator, without TLS, speaks.
//
// # Failure by failure
//
//   - The input cannot be read: SerializationException. The operation does not
//     exist: UnsupportedOperation, by name.
//   - An operation panics: InternalFailure, the stack in the log; other calls go
//     on. In the midst of a stream the answer just ends.
//   - A stream's client stops reading: after 30 s without taking an event it is
//     cut off. A client that is gone, or the server's end, ends the context.
package wire
