// Package location takes drivers' GPS points and puts them on the stream. It
// stores nothing: 202 means that the stream has acknowledged every point that
// was not refused by name. A 503 says from which sequence on to send again.
//
// Which points are valid is decided here. A point that is not is refused with the
// name of the field that is wrong, and the rest of its batch is taken. Location
// checks the order inside a batch only; whether a sequence rises above all before
// it, the readers know.
package location
