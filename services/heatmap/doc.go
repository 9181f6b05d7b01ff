// Package heatmap counts points: how many in each S2 cell, in each minute of
// their fix time. It is the durable reader (package points) whose state is a
// sum: a sum cannot tell whether it has added a point before, so the newest
// sequence of each driver is kept as its mark, and rows, marks and checkpoint are
// one transaction under the shard's lease.
//
// A lease remembers what it has written, for as long as nothing fails: who is in which
// cell is written once a minute, and the marks that a batch raises are one row of arrays,
// which are merged into the drivers' rows when each was raised some times. The next
// lease merges what it finds, and begins with nothing remembered.
//
// Only the records' own fields decide what is counted where: a recorded trip
// of 2013 falls into windows of 2013, a late point into its own minute.
//
// Operators see counts. Everybody else sees a map of each whole minute: areas that at
// least five distinct drivers were in, in classes. Areas of a minute do not overlap, nor
// do minutes, and a minute's map stays as it was first made. So whatever levels,
// minutes and viewports are asked for, what is answered are the same pieces, each of
// five drivers or more, and the difference of two answers is made of whole pieces. It
// hides one among five; it does not hide where five went together. Since a map stays, it
// is not made before the slowest shard has been applied to its minute's end: while the
// reader is behind, who asks for a later minute is told so.
package heatmap
