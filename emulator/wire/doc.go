// Package wire speaks AWS's JSON protocols for the emulator: it finds the operation
// that a request's X-Amz-Target names, decodes its input, and encodes its output
// or error as the SDKs expect them. The SDK for Java speaks them in CBOR with
// Kinesis: what comes as CBOR is turned into JSON, and answered in CBOR. Every
// answer has an id, and every error its type in the header.
//
// An operation's output is one of three: a value, which encoding/json writes; Raw,
// ready-made JSON for answers that are large or frequent; or Stream, which
// answers with messages of application/vnd.amazon.eventstream. AWS sends those
// over HTTP/2; the SDKs for Go and Python take them over HTTP/1.1 in chunks as well.
//
// # Failure by failure
//
//   - The input cannot be read: SerializationException. The operation does not
//     exist: UnsupportedOperation, with its name.
//   - A text is no Unicode (the byte 0xFF, half a surrogate pair): it is refused,
//     since encoding/json would put U+FFFD in its place.
//   - An operation panics: InternalFailure, the stack in the log; other calls go
//     on. In the middle of a stream the answer breaks off.
//   - A stream's client stops reading: after 30 s without taking an event it is
//     cut off. The context ends when the client has gone or the server stops.
package wire
