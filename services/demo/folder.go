package demo

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"tandem/services/demo/runfile"
)

// layoutVersion is the version of the data folder's layout. A folder of
// another version is refused with what to do.
const layoutVersion = "1"

// needBytes is what a start needs on disk: Postgres' empty cluster and its
// write-ahead log, and room for an hour of points.
const needBytes = 600 << 20

// folder is the data folder, locked.
type folder struct {
	dir  string
	lock *os.File
}

// openFolder creates and locks the data folder, deletes what is in it if fresh is
// set, and checks its version and the room on its disk.
func openFolder(dir string, fresh bool) (*folder, error) {
	if err := runfile.MakeDir(dir); err != nil {
		return nil, err
	}

	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}

	f := &folder{dir: dir, lock: lock}
	if err := f.prepare(fresh); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return f, nil
}

func (f *folder) prepare(fresh bool) error {
	// The kernel releases the lock however this process ends, so that a demo killed
	// with -9 does not lock its folder for good.
	if err := syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another demo runs on %s: end it with Ctrl-C in its terminal, or use another folder with --data", f.dir)
	}

	if fresh {
		if err := f.forget(); err != nil {
			return err
		}
	}
	if err := f.checkVersion(); err != nil {
		return err
	}
	return f.checkRoom()
}

// forget removes everything but the lock, which this process holds.
func (f *folder) forget() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}

	for _, e := range entries {
		if e.Name() == "lock" {
			continue
		}

		if err := os.RemoveAll(filepath.Join(f.dir, e.Name())); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	return nil
}

func (f *folder) checkVersion() error {
	file := filepath.Join(f.dir, "version")
	b, err := os.ReadFile(file)

	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.WriteFile(file, []byte(layoutVersion+"\n"), 0o600); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	case strings.TrimSpace(string(b)) != layoutVersion:
		return fmt.Errorf("the data in %s was written by another version of Tandem (layout %s, this one has %s): start afresh with --fresh, or keep it and use another folder with --data",
			f.dir, strings.TrimSpace(string(b)), layoutVersion)
	}
	return nil
}

func (f *folder) checkRoom() error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(f.dir, &st); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}

	if room := st.Bavail * uint64(st.Bsize); room < needBytes {
		return fmt.Errorf("only %d MB are free on the disk of %s, and the demo needs %d: make room, or use another disk with --data",
			room>>20, f.dir, needBytes>>20)
	}
	return nil
}

func (f *folder) path(name ...string) string {
	return filepath.Join(append([]string{f.dir}, name...)...)
}

// key returns a random key, base64, that stays the same for the folder's life, so
// that a browser's token is valid after a restart.
func (f *folder) key(name string) (string, error) {
	file := f.path(name)
	b, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("data folder: %w", err)
	}

	var raw [32]byte
	_, _ = rand.Read(raw[:]) // crypto/rand.Read never fails

	key := base64.StdEncoding.EncodeToString(raw[:])
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}

	return key, nil
}

// close removes the run file and releases the lock.
func (f *folder) close() error {
	return errors.Join(runfile.Remove(f.dir), f.lock.Close())
}
