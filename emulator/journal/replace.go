package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Replace replaces the file at path by one of these bytes. A crash leaves the old
// file or the new one.
func Replace(path string, b []byte, fsync bool) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}

	_, err = f.Write(b)
	if err == nil && fsync {
		err = f.Sync()
	}

	// By rename, once all bytes are written: nobody sees half a file.
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}

	if err != nil {
		_ = os.Remove(tmp) // on a full disk it would hold the last of the room
		return fmt.Errorf("journal: %w", err)
	}
	if fsync {
		return SyncDir(path)
	}
	return nil
}

// Cause returns why a file could not be written, without the file's name, which
// says nothing to a client: "no space left on device".
func Cause(err error) string {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
