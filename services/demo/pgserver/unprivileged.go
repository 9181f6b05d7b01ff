package pgserver

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// serverUser returns the user that the server runs as, or nil for this process's
// own. Postgres refuses to run as root.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}

	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}

		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s has uid %q", name, u.Uid)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s has gid %q", name, u.Gid)
		}

		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}

	return nil, fmt.Errorf("postgres does not run as root, and this machine has neither a user postgres nor a user nobody: run as another user, or set DATABASE_URL")
}

// handOver makes the server's user the owner of dir, and checks that this user can
// reach it.
func handOver(dir string, cred *syscall.Credential) error {
	if cred == nil {
		return nil
	}

	if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}

	// Each folder above must let others pass (the execute bit).
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		info, err := os.Stat(up)
		if err != nil {
			return fmt.Errorf("postgres data: %w", err)
		}

		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("started by root, Postgres runs as user %d, who may not pass %s: choose a data folder elsewhere, such as /var/tmp/tandem", cred.Uid, up)
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}
