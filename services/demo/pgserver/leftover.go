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
	if err != nil || !s.runsHere(pid) {
		return os.Remove(file)
	}

	// SIGINT is Postgres' fast shutdown; SIGQUIT ends it at once, without a checkpoint.
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("an earlier Postgres (pid %d) still runs on %s and cannot be stopped: %w", pid, s.data(), err)
		}
		for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if !s.runsHere(pid) {
				return nil
			}
		}
	}
	return fmt.Errorf("an earlier Postgres (pid %d) still runs on %s: stop it first", pid, s.data())
}

// runsHere reports whether pid is a Postgres on this data folder.
func (s *Server) runsHere(pid int) bool {
	args, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(args), s.data())
}
