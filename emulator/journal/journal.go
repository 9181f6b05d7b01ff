package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const header = "TANDEM-JOURNAL-2\n"

// ErrFormat is returned for a file of another format.
var ErrFormat = errors.New("journal: the file is of another format; start afresh with --fresh")

// disk is the part of os.File that a write needs.
type disk interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// File is one append-only file of frames. It is not safe for concurrent use,
// but see Compaction.
type File struct {
	path  string
	f     *os.File
	disk  disk // f, but in tests
	size  int64
	fsync bool
	dirty bool // a failed write may have left something behind size
	buf   []byte
	lost  Loss
}

// Loss is what Open cut off.
type Loss struct {
	At    int64 // offset of the first byte that is no frame
	Bytes int64 // how many were cut; 0: nothing was
	// Damaged reports whether whole frames came after At: then it was not a write
	// that a crash tore, but bytes went bad, and acknowledged frames are lost.
	Damaged bool
}

// Open opens or creates the file at path and calls apply for each frame, with its
// offset; the payload is valid until apply returns. From the first bytes that are
// no frame on, the file is cut off: see Lost.
func Open(path string, fsync bool, apply func(offset int64, payload []byte) error) (*File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}

	j := &File{path: path, f: f, disk: f, fsync: fsync}
	if err := j.load(apply); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

func (j *File) load(apply func(int64, []byte) error) error {
	r := bufio.NewReaderSize(j.f, 1<<20)
	head := make([]byte, len(header))
	n, err := io.ReadFull(r, head)

	if err != nil && !errors.Is(torn(err), errTorn) {
		return fmt.Errorf("journal: %s: %w", j.path, err)
	}
	// A file that only begins like the header may be one: its first write was torn.
	if err != nil && string(head[:n]) != header[:n] || err == nil && string(head) != header {
		return fmt.Errorf("%w: %s", ErrFormat, j.path)
	}
	if err != nil {
		return j.restart()
	}

	j.size = int64(len(header))
	var buf []byte
	for {
		payload, err := ReadFrame(r, buf)
		if errors.Is(err, io.EOF) || errors.Is(err, errTorn) {
			return j.cut() // the next write goes here
		}
		// A disk that can't be read is no torn write: nothing is cut off because of it.
		if err != nil {
			return fmt.Errorf("journal: %s at %d: %w", j.path, j.size, err)
		}

		if err := apply(j.size, payload); err != nil {
			return fmt.Errorf("journal: %s at %d: %w", j.path, j.size, err)
		}
		j.size += FrameSize(len(payload))
		buf = payload
	}
}

// cut cuts off what is no frame, and keeps a copy where it was more than a torn
// write.
func (j *File) cut() error {
	end, err := j.f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if end == j.size {
		return nil
	}

	j.lost = Loss{At: j.size, Bytes: end - j.size}
	tail := io.NewSectionReader(j.f, j.size, end-j.size)
	near := make([]byte, min(end-j.size, 1<<20))
	if _, err := tail.ReadAt(near, 0); err != nil {
		return fmt.Errorf("journal: %w", err)
	}

	// A crash tears the last write alone, so whole frames behind it mean damage. They
	// are looked for in the first MiB.
	if j.lost.Damaged = holdsFrame(near[1:]); j.lost.Damaged {
		if err := j.keep(tail); err != nil {
			return err
		}
	}

	if err := j.f.Truncate(j.size); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// keep copies the tail that is cut off, for a person to look at.
func (j *File) keep(tail io.Reader) error {
	f, err := os.OpenFile(j.path+".damaged", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}

	_, err = io.Copy(f, tail)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// restart writes the header of a new file.
func (j *File) restart() error {
	if err := j.f.Truncate(0); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if _, err := j.f.WriteAt([]byte(header), 0); err != nil {
		return fmt.Errorf("journal: %w", err)
	}

	j.size = int64(len(header))
	if j.fsync {
		return errors.Join(j.f.Sync(), SyncDir(j.path))
	}
	return nil
}

// SyncDir makes the name of a file, or of a folder, survive a power cut.
func SyncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// Lost returns what Open cut off.
func (j *File) Lost() Loss { return j.lost }

// Size returns the file's length in bytes: the offset of the next frame.
func (j *File) Size() int64 { return j.size }

// Append writes the payloads' frames with one write. After an error the file is
// as it was before.
func (j *File) Append(payloads ...[]byte) error {
	j.buf = j.buf[:0]
	for _, p := range payloads {
		if len(p) > maxPayload {
			return fmt.Errorf("journal: a payload of %d bytes; %d is the most", len(p), maxPayload)
		}
		j.buf = AppendFrame(j.buf, p)
	}

	err := j.write(j.buf)

	// One large call must not keep its buffer for ever.
	if cap(j.buf) > 4<<20 {
		j.buf = nil
	}
	return err
}

func (j *File) write(b []byte) error {
	// What a failed write left must go first: a frame that was refused might reopen.
	if j.dirty {
		if err := j.disk.Truncate(j.size); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		j.dirty = false
	}

	_, err := j.disk.WriteAt(b, j.size)
	if err == nil && j.fsync {
		err = j.disk.Sync()
	}
	if err != nil {
		// The frames may be there in part, or whole but not safe: the caller refuses them.
		j.dirty = j.disk.Truncate(j.size) != nil
		return fmt.Errorf("journal: %w", err)
	}

	j.size += int64(len(b))
	return nil
}

// Close closes the file.
func (j *File) Close() error { return j.f.Close() }

// Remove closes and deletes the file.
func (j *File) Remove() error { return errors.Join(j.f.Close(), os.Remove(j.path)) }
