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

// logFile is an append-only file that is replaced by a new one when it is full. A
// line may be split between two files.
type logFile struct {
	path string
	max  int64

	mu   sync.Mutex
	f    *os.File
	size int64
}

func openLog(dir, name string, limit int64) (*logFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("supervisor: logs: %w", err)
	}
	l := &logFile{path: filepath.Join(dir, name+".log"), max: limit}
	return l, l.open()
}

func (l *logFile) open() error {
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
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return len(p), nil
	}

	if l.size > 0 && l.size+int64(len(p)) > l.max {
		_ = l.f.Close()
		l.f = nil
		_ = os.Rename(l.path, l.path+".1")
		if err := l.open(); err != nil {
			return len(p), nil
		}
	}

	n, _ := l.f.Write(p)
	l.size += int64(n)
	return len(p), nil
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}

	err := l.f.Close()
	l.f = nil
	return err
}
