package runfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// CacheDir returns the folder for what Tandem can create again: <user cache>/tandem.
// For root it is under /var/tmp, because Postgres refuses to run as root and the
// user that it runs as then cannot enter root's home.
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

// DefaultDir returns the demo's data folder for a backend. Each has its own,
// because positions in one stream mean nothing in another.
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

// MakeDir creates a folder that other users may pass through but not list, whatever
// the umask is, since the user that Postgres runs as for root must pass. So they may
// through the cache folder, if that is above it. It refuses a folder of another user,
// who may have put it there to read what Tandem writes.
func MakeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}

	created := true
	if err := os.Mkdir(dir, 0o711); errors.Is(err, os.ErrExist) {
		created = false
	} else if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}

	for _, d := range []string{filepath.Dir(dir), dir} {
		// Lstat does not follow a link, so that a link of another user is refused too.
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

	return letPass(dir, created)
}

// letPass lets other users pass through dir if it was just created, and through the
// cache folder. What else there is may be closed on purpose.
func letPass(dir string, created bool) error {
	cache, err := CacheDir()
	if err != nil {
		cache = "" // such as no home, where dir was named
	}

	for _, d := range []string{filepath.Dir(dir), dir} {
		if d != cache && (d != dir || !created) {
			continue
		}
		if err := os.Chmod(d, 0o711); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	return nil
}
