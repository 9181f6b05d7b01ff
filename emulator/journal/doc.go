// Package journal keeps what the emulator must not forget, in frames of a length,
// a checksum and a payload. They are written with one write before the call is
// answered, so that kill -9 loses nothing that was acknowledged; with fsync,
// neither does a power cut.
//
// # The file
//
//	TANDEM-JOURNAL-2\n
//	length  uint32, little endian
//	CRC-32C uint32, little endian, of the length's four bytes and the payload
//	payload
//	...
//
// The checksum covers the length, so that a run of zeros (what some file
// systems leave after a power cut) is no frame.
//
// # Failure by failure
//
//   - Killed in a write: the torn frame is cut off when the file is opened. It
//     was never acknowledged.
//   - A byte went bad: reading ends before its frame. What reopens is a prefix
//     of what was acknowledged. Lost returns how many bytes are gone and whether
//     whole frames came after the bad one; if so, a copy of the bytes is kept in
//     a file whose name ends with ".damaged".
//   - A write or an fsync fails: the file is cut back to its length before; where
//     even that fails, the next Append tries it again first.
//   - Another format: ErrFormat, and nothing is touched.
//
// # Compaction
//
// StartCompaction opens a second file. Its owner appends to it what is still true,
// while others append to the first. Finish copies what they appended meanwhile
// and renames the second file. A crash leaves the old file or the new one.
package journal
