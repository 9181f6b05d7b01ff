// Package ledger keeps a log of JSON lines that outlives a kill -9 of its
// writer: lines are appended, a torn last line is cut off before the next one is
// written, and the file is rotated by size: name.1 is the one before, what was
// in an older name.1 is dropped.
//
// What the lines mean is for who writes and reads them.
package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	flushEvery     = time.Second
	defaultMaxSize = 256 << 20
)

// Writer appends to a ledger. It is safe for concurrent use.
type Writer struct {
	path    string
	maxSize int64

	mu   sync.Mutex
	file *os.File
	buf  *bufio.Writer
	size int64
	err  error

	stop, stopped chan struct{}
}

// Open appends to the ledger at path, which it creates where needed. It is
// flushed each second and at Close; maxSize bounds one file (0: 256 MiB).
func Open(path string, maxSize int64) (*Writer, error) {
	if maxSize == 0 {
		maxSize = defaultMaxSize
	}

	w := &Writer{path: path, maxSize: maxSize, stop: make(chan struct{}), stopped: make(chan struct{})}
	if err := w.open(); err != nil {
		return nil, err
	}

	go w.flushLoop()
	return w, nil
}

func (w *Writer) open() error {
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}

	size, err := cutTornLine(f)
	if err != nil {
		return errors.Join(fmt.Errorf("ledger: %w", err), f.Close())
	}

	w.file, w.buf, w.size = f, bufio.NewWriterSize(f, 64<<10), size
	return nil
}

// cutTornLine drops what follows the last line's end: a writer was killed while
// it wrote that, and a line appended to it could not be read.
func cutTornLine(f *os.File) (size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}

	size = info.Size()
	tail := make([]byte, min(size, 64<<10))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return 0, err
	}

	if end := bytes.LastIndexByte(tail, '\n') + 1; end < len(tail) {
		size -= int64(len(tail) - end)
		return size, f.Truncate(size)
	}
	return size, nil
}

// Write appends v as one line of JSON. A failure is kept and returned by Close
// too: after it, nothing more is written.
func (w *Writer) Write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && w.size > w.maxSize {
		w.err = w.rotate()
	}
	if w.err != nil {
		return w.err
	}

	n, err := w.buf.Write(append(b, '\n'))
	w.size += int64(n)
	if err != nil {
		w.err = fmt.Errorf("ledger: %w", err)
	}
	return w.err
}

func (w *Writer) rotate() error {
	if err := errors.Join(w.buf.Flush(), w.file.Close()); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := os.Rename(w.path, w.path+".1"); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return w.open()
}

func (w *Writer) flushLoop() {
	defer close(w.stopped)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()

	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
			w.mu.Lock()
			if w.err == nil {
				w.err = w.buf.Flush()
			}
			w.mu.Unlock()
		}
	}
}

// Close flushes and closes; it returns the first failure of the ledger's life.
func (w *Writer) Close() error {
	close(w.stop)
	<-w.stopped

	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.err, w.buf.Flush(), w.file.Close())
}

// Beside names another writer's ledger beside the one at path: ledger.jsonl and
// feed make ledger-feed.jsonl.
func Beside(path, writer string) string {
	ext := filepath.Ext(path)
	return strings.TrimSuffix(path, ext) + "-" + writer + ext
}

// ReadAll calls fn as Read does, for the ledger at path and all that lie beside it.
func ReadAll[T any](path string, fn func(T) error) error {
	// Within the folder, whose own name may have a bracket in it.
	dir := filepath.Dir(path)
	names, err := fs.Glob(os.DirFS(dir), filepath.Base(Beside(path, "*")))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	for _, name := range append([]string{filepath.Base(path)}, names...) {
		if err := Read(filepath.Join(dir, name), fn); err != nil {
			return err
		}
	}
	return nil
}

// Read calls fn for each line of the ledger at path, decoded as a T, the rotated
// part first.
func Read[T any](path string, fn func(T) error) error {
	if err := readFile(path+".1", fn); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return readFile(path, fn)
}

func readFile[T any](path string, fn func(T) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer func() { _ = f.Close() }()

	r := bufio.NewReaderSize(f, 256<<10)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // a line without an end is torn, and no error: its writer was killed
		}
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}

		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return fmt.Errorf("ledger: %s line %d: %w", path, n, err)
		}
		if err := fn(v); err != nil {
			return err
		}
	}
}
