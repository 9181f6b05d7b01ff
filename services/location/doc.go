// Package location takes drivers' GPS points and puts them on the stream. It
// keeps no state: 202 means that the stream has acknowledged every point that
// was not refused by name; any other answer says from which sequence to send
// again.
//
// What a point may be is decided here, by name and without harming the rest of
// its batch. Location judges order inside a batch alone; whether a sequence
// rises above all before it, history knows.
package location
