package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The versions that Tandem's SQL is written for.
const (
	oldestMajor = 15
	newestMajor = 18
)

// binaries is a folder with postgres and initdb.
type binaries struct {
	dir   string
	major int
}

var errNoBinaries = errors.New("no Postgres on this machine")

// systemBinaries returns the newest Postgres of the system that the server's user
// may run. If major is not 0, it takes only that version, because one major
// version does not read the data of another.
func systemBinaries(ctx context.Context, cred *syscall.Credential, major int) (binaries, error) {
	best := binaries{}
	for _, dir := range candidates() {
		v, err := majorOf(ctx, dir, cred)
		if err != nil || v < oldestMajor || v > newestMajor || major != 0 && v != major {
			continue
		}
		if v > best.major {
			best = binaries{dir: dir, major: v}
		}
	}

	if best.dir == "" {
		return best, errNoBinaries
	}
	return best, nil
}

// candidates returns the folders in which a system may keep Postgres.
func candidates() []string {
	var dirs []string
	if p, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}

	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", // Debian, Red Hat
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", // Homebrew
		"/Applications/Postgres.app/Contents/Versions/*/bin", "/usr/local/pgsql/bin",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		dirs = append(dirs, found...)
	}
	return dirs
}

var versionOutput = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// majorOf runs postgres --version as the server's user, and so also checks that
// this user may run it.
func majorOf(ctx context.Context, dir string, cred *syscall.Credential) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}

	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	cmd := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version")
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: cred}
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}

	m := versionOutput.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("postgres --version says %q", out)
	}
	return strconv.Atoi(string(m[1]))
}

// dataMajor returns the major version that wrote a data folder, or 0 if none has.
func dataMajor(data string) (int, error) {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("postgres data: %w", err)
	}

	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("postgres data: PG_VERSION says %q", b)
	}
	return v, nil
}
