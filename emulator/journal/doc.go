// Package journal keeps what the emulator must not forget: frames of a length,
// a checksum and a payload, written with one write before the answer, so that
// kill -9 loses nothing that was acknowledged (with fsync, neither does the
// machine).
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
//   - Killed in a write: the torn frame is cut off when the file is opened.
//     Nobody was told that it is kept.
//   - A byte went bad: reading ends before its frame. What reopens is a prefix
//     of what was acknowledged; Lost says how many bytes are gone and whether
//     whole frames stood behind the bad one, and a copy of them is kept beside
//     the file under the name + ".damaged".
//   - A write or an fsync fails: the file is cut back to what it was, and so is
//     its memory; where even that fails, the next Append tries again first.
//   - Another format: ErrFormat, and nothing is touched.
//
// # Compaction
//
// StartCompaction opens a second file; its owner appends what is still true
// while this one is written on; Finish copies what was appended meanwhile and
// renames. A crash leaves the old file or the new one.
package journal
