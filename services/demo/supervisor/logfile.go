package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// maxLog is the size at which a log file becomes <name>.log.1, replacing the
// one before. A demo left on overnight keeps at most twice this per process.
const maxLog = 4 << 20

// LogFile is an append-only file that is replaced by a new one when it is full. A
// line may be split between two files.
type LogFile struct {
	path string
	max  int64

	mu     sync.Mutex
	f      *os.File // nil: it could not be opened
	size   int64
	closed bool
}

// OpenLog opens <dir>/<name>.log and appends to it: a start does not delete what
// the one before has written.
func OpenLog(dir, name string) (*LogFile, error) { return openLog(dir, name, maxLog) }

func openLog(dir, name string, limit int64) (*LogFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("supervisor: logs: %w", err)
	}
	l := &LogFile{path: filepath.Join(dir, name+".log"), max: limit}
	return l, l.open()
}

func (l *LogFile) open() error {
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("supervisor: log: %w", err)
	}

	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("supervisor: log: %w", err)
	}

	l.f, l.size = f, info.Size()
	return nil
}

// Write appends p. It never returns an error, because os/exec would then close
// the process's output: a full disk must not end a process that logs.
func (l *LogFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return len(p), nil
	}

	if l.f != nil && l.size > 0 && l.size+int64(len(p)) > l.max {
		_ = l.f.Close()
		l.f = nil
		_ = os.Rename(l.path, l.path+".1")
	}

	// A file that could not be opened, for want of room or descriptors, is tried again
	// by the next line: the process would be silent for the rest of its life.
	if l.f == nil && l.open() != nil {
		return len(p), nil
	}

	n, _ := l.f.Write(p)
	l.size += int64(n)
	return len(p), nil
}

// Close closes the file; what is written after it is dropped.
func (l *LogFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.f == nil {
		return nil
	}

	err := l.f.Close()
	l.f = nil
	return err
}
