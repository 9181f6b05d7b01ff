// Package journal keeps what the emulator must not forget: frames of a length,
// a checksum and a payload, written with one write before the answer, so that
// kill -9 loses nothing that was acknowledged (with Fsync, neither does the
// machine).
//
// A file begins with a line that names its format. What a crash left torn at
// the end is cut off when the file is opened; a frame that fails its checksum
// ends the file there: what reopens is a prefix of what was written.
package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

const (
	header     = "TANDEM-JOURNAL-1\n"
	frameHead  = 8 // length and checksum, 32 bits each, little endian
	maxPayload = 32 << 20
)

// ErrFormat is returned for a file of another format.
var ErrFormat = errors.New("journal: the file is of another format; start afresh with --fresh")

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// AppendFrame appends one frame to dst.
func AppendFrame(dst, payload []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(payload))
	return append(dst, payload...)
}

// errTorn ends a scan: what follows is no frame.
var errTorn = errors.New("journal: torn")

// ReadFrame reads one frame from r into buf (grown as needed). io.EOF: the end;
// any other error: what follows is no frame.
func ReadFrame(r io.Reader, buf []byte) ([]byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, errTorn
	}
	n := binary.LittleEndian.Uint32(head[:4])
	if n > maxPayload {
		return nil, errTorn
	}
	if cap(buf) < int(n) {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, errTorn
	}
	if checksum(buf) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errTorn
	}
	return buf, nil
}

// File is one append-only file of frames. It is not safe for concurrent use.
type File struct {
	path  string
	f     *os.File
	size  int64
	fsync bool
	buf   []byte
}

// Open opens or makes the file at path and calls apply for each frame, with its
// offset; the payload is valid until apply returns. What is torn is cut off.
func Open(path string, fsync bool, apply func(offset int64, payload []byte) error) (*File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &File{path: path, f: f, fsync: fsync}
	if err := j.load(apply); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

func (j *File) load(apply func(int64, []byte) error) error {
	r := bufio.NewReaderSize(j.f, 1<<20)
	head := make([]byte, len(header))
	n, err := io.ReadFull(r, head)
	if err != nil && string(head[:n]) != header[:n] || err == nil && string(head) != header {
		return fmt.Errorf("%w: %s", ErrFormat, j.path)
	}
	if err != nil { // new, or torn in its first line
		return j.restart()
	}
	j.size = int64(len(header))
	var buf []byte
	for {
		payload, err := ReadFrame(r, buf)
		if err != nil {
			break // the end, or torn: the next write goes here
		}
		if err := apply(j.size, payload); err != nil {
			return fmt.Errorf("journal: %s at %d: %w", j.path, j.size, err)
		}
		j.size += frameHead + int64(len(payload))
		buf = payload
	}
	if err := j.f.Truncate(j.size); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

func (j *File) restart() error {
	if err := j.f.Truncate(0); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if _, err := j.f.WriteAt([]byte(header), 0); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.size = int64(len(header))
	return nil
}

// Size is the file's length in bytes: the offset of the next frame.
func (j *File) Size() int64 { return j.size }

// Append writes the payloads' frames with one write. After an error the file is
// as it was before.
func (j *File) Append(payloads ...[]byte) error {
	j.buf = j.buf[:0]
	for _, p := range payloads {
		j.buf = AppendFrame(j.buf, p)
	}
	if _, err := j.f.WriteAt(j.buf, j.size); err != nil {
		return errors.Join(fmt.Errorf("journal: %w", err), j.f.Truncate(j.size))
	}
	if j.fsync {
		if err := j.f.Sync(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	j.size += int64(len(j.buf))
	if cap(j.buf) > 4<<20 {
		j.buf = nil
	}
	return nil
}

// Rewrite replaces the file by the given payloads, by rename: a crash leaves
// the old file or the new one.
func (j *File) Rewrite(payloads [][]byte) error {
	tmp := j.path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("journal: %w", err)
	}
	next, err := Open(tmp, true, func(int64, []byte) error { return nil })
	if err != nil {
		return err
	}
	if err := next.Append(payloads...); err != nil {
		return errors.Join(err, next.Close())
	}
	if err := os.Rename(tmp, j.path); err != nil {
		return errors.Join(fmt.Errorf("journal: %w", err), next.Close())
	}
	old := j.f
	j.f, j.size = next.f, next.size
	return old.Close()
}

// ReadAt reads frames from offset on, calling each until it says stop, or the
// file's end; next is where reading would go on.
func (j *File) ReadAt(offset int64, each func(payload []byte) (more bool)) (next int64, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(j.f, offset, j.size-offset), 256<<10)
	for offset < j.size {
		payload, err := ReadFrame(r, nil)
		if err != nil {
			return offset, fmt.Errorf("journal: %s at %d: %w", j.path, offset, err)
		}
		if !each(payload) {
			return offset, nil
		}
		offset += frameHead + int64(len(payload))
	}
	return offset, nil
}

// Close closes the file.
func (j *File) Close() error { return j.f.Close() }

// Remove closes and deletes the file.
func (j *File) Remove() error { return errors.Join(j.f.Close(), os.Remove(j.path)) }

// FrameSize is how many bytes a payload of n bytes takes.
func FrameSize(n int) int64 { return frameHead + int64(n) }

// OpenSealed opens a file that is complete, for reading alone.
func OpenSealed(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %w", err), f.Close())
	}
	return &File{path: path, f: f, size: info.Size()}, nil
}
