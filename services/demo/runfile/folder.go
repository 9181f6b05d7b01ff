package runfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// CacheDir is where Tandem keeps what it may make again: <user cache>/tandem.
// For root it lies under /var/tmp, since Postgres refuses to run as root and
// root's home is closed to the user that it then runs as.
func CacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/tmp/tandem-0", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no user cache folder (%w); name a data folder with --data", err)
	}
	return filepath.Join(cache, "tandem"), nil
}

// DefaultDir is the demo's data folder for a backend: what was read of one
// stream says nothing of another, so each has its own.
func DefaultDir(backend string) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	if backend == "emulator" {
		return filepath.Join(cache, "demo"), nil
	}
	return filepath.Join(cache, "demo-"+backend), nil
}

// MakeDir makes a folder that others may pass through but not list. A folder
// that belongs to someone else is refused: it may have been put there for us
// to write into.
func MakeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("data folder: %w", err)
	}
	for _, d := range []string{filepath.Dir(dir), dir} {
		info, err := os.Lstat(d)
		if err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		shared := info.Mode()&os.ModeSticky != 0 && d != dir // such as /tmp
		if !info.IsDir() || ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() && !shared {
			return fmt.Errorf("data folder: %s is not a folder of yours; name another with --data", d)
		}
	}
	return nil
}
