package journal

import (
	"errors"
	"fmt"
	"os"
)

// Replace puts a file of these bytes in path's place, by rename: a crash leaves
// the one or the other.
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
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil && fsync {
		return SyncDir(path)
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
