package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Compaction is a shorter file that is being written beside the one in use.
type Compaction struct {
	next *File
	from int64 // from this offset on the old file's frames are not in next yet
}

// StartCompaction opens a file that will replace all frames that j has now.
func (j *File) StartCompaction() (*Compaction, error) {
	tmp := j.path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}

	// Without fsync: until the rename nothing depends on this file.
	next, err := Open(tmp, false, func(int64, []byte) error { return nil })
	if err != nil {
		return nil, err
	}
	return &Compaction{next: next, from: j.size}, nil
}

// Append appends payloads to the new file. It may run beside the old file's
// Append.
func (c *Compaction) Append(payloads ...[]byte) error { return c.next.Append(payloads...) }

// CatchUp copies the frames that the old file got meanwhile, up to size (its
// Size), and syncs the new file, so that Finish has little to do. It may run
// beside the old file's Append, and again for as long as copied is much.
func (c *Compaction) CatchUp(j *File, size int64) (copied int64, err error) {
	from := c.from
	if err := c.copy(j, size); err != nil {
		return 0, err
	}
	return c.from - from, c.next.f.Sync()
}

// copy copies bytes, not frames: up to size the old file has only whole ones.
func (c *Compaction) copy(j *File, size int64) error {
	buf := make([]byte, 256<<10)
	for c.from < size {
		n, err := j.f.ReadAt(buf[:min(int64(len(buf)), size-c.from)], c.from)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("journal: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("journal: %s ends at %d, not at %d", j.path, c.from, size)
		}

		if err := c.next.write(buf[:n]); err != nil {
			return err
		}
		c.from += int64(n)
	}
	return nil
}

// Finish copies the rest and replaces j's file by the new one. Nothing may be
// appended to j meanwhile.
func (c *Compaction) Finish(j *File) error {
	err := c.copy(j, j.size)
	if err == nil && j.fsync {
		err = c.next.f.Sync()
	}

	// By rename: a crash leaves the old file or the new one.
	if err == nil {
		err = os.Rename(c.next.path, j.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("journal: %w", err), c.Abandon())
	}

	old := j.f
	j.f, j.disk, j.size, j.dirty = c.next.f, c.next.f, c.next.size, false

	// The folder too, or a power cut may undo the rename.
	if j.fsync {
		err = SyncDir(j.path)
	}
	return errors.Join(err, old.Close())
}

// Abandon removes the new file. The old one stays as it is.
func (c *Compaction) Abandon() error { return c.next.Remove() }
