package pgserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clearLeftover handles the postmaster.pid of a server that did not end in order.
// A server that still runs on this data is ended. If the pid belongs to another
// program by now, the file is removed, because Postgres would refuse to start.
func (s *Server) clearLeftover() error {
	file := filepath.Join(s.data(), "postmaster.pid")
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}

	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return os.Remove(file)
	}
	runs, err := s.runsHere(pid)
	if err != nil {
		return err
	}
	if !runs {
		return os.Remove(file)
	}

	// SIGINT is Postgres' fast shutdown; SIGQUIT ends it at once, without a checkpoint.
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("an earlier Postgres (pid %d) still runs on %s and cannot be stopped: %w", pid, s.data(), err)
		}
		for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if runs, err := s.runsHere(pid); err != nil || !runs {
				return err
			}
		}
	}
	return fmt.Errorf("an earlier Postgres (pid %d) still runs on %s: stop it first", pid, s.data())
}

// runsHere reports whether pid is a Postgres on this data folder. Where that cannot
// be found out it is an error: without postmaster.pid two servers would write to the
// same files.
func (s *Server) runsHere(pid int) (bool, error) {
	args, err := commandLine(pid)
	if err != nil {
		return false, fmt.Errorf("whether an earlier Postgres (pid %d) still runs on %s cannot be told: stop it, then remove postmaster.pid there: %w", pid, s.data(), err)
	}
	return strings.Contains(args, s.data()), nil
}

// commandLine returns a process's arguments, and nothing where no such process runs.
// Images without ps are common, so /proc is asked where there is one.
func commandLine(pid int) (string, error) {
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			return "", nil
		}
		return string(b), err
	}

	b, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return "", nil
	}
	return string(b), err
}
