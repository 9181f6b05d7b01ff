// Package ledger keeps what a client was promised: every request that it made
// and the answer that it got, as JSON lines. tools/audit holds the ledger
// against what is there.
//
// A line is written after the answer came, so a client that is killed loses at
// most promises that it could not have acted upon. The file is rotated by size:
// name.1 is the one before, older ones are dropped.
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
	"sync"
	"time"
)

// Kinds of Entry.
const (
	KindRide   = "ride"
	KindPoints = "points"
)

// Entry is one exchange.
type Entry struct {
	At     time.Time    `json:"at"`
	Kind   string       `json:"kind"`
	Ride   *RideEntry   `json:"ride,omitempty"`
	Points *PointsEntry `json:"points,omitempty"`
}

// RideEntry is a booking. Status is the HTTP status, 0 where no answer came.
type RideEntry struct {
	Key    string `json:"key"`
	RideID string `json:"ride_id,omitempty"`
	Rider  string `json:"rider"`
	Status int    `json:"status"`
}

// PointsEntry is a batch of points. A 202 promises every sequence of Seqs that
// is not in Refused; any other status promises those up to AcceptedThrough.
type PointsEntry struct {
	Driver          string  `json:"driver"`
	Seqs            []int64 `json:"seqs"`
	Status          int     `json:"status"`
	AcceptedThrough int64   `json:"accepted_through"`
	Refused         []int64 `json:"refused,omitempty"`
}

// Promised gives the sequences that the answer made durable.
func (p PointsEntry) Promised() []int64 {
	refused := make(map[int64]bool, len(p.Refused))
	for _, s := range p.Refused {
		refused[s] = true
	}
	var out []int64
	for _, s := range p.Seqs {
		if s <= p.AcceptedThrough && !refused[s] {
			out = append(out, s)
		}
	}
	return out
}

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

// Open appends to the ledger at path, making it where needed. It is flushed
// each second and at Close; maxSize bounds one file (0: 256 MiB).
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

// cutTornLine drops what stands after the last line's end: a killed writer's.
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

// Write appends one entry. A failure is kept and returned by Close too.
func (w *Writer) Write(e Entry) error {
	b, err := json.Marshal(e)
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

// Read calls fn for each entry of the ledger at path, the rotated part first.
// A torn last line (the writer was killed) is not an error.
func Read(path string, fn func(Entry) error) error {
	if err := readFile(path+".1", fn); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return readFile(path, fn)
}

func readFile(path string, fn func(Entry) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(f, 256<<10)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // a line without an end is torn, or there is none
		}
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("ledger: %s line %d: %w", path, n, err)
		}
		if err := fn(e); err != nil {
			return err
		}
	}
}
