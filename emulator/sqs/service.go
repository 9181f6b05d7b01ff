package sqs

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tandem/emulator/journal"
)

// Options configures a Service.
type Options struct {
	Path  string // of the journal; empty: everything is in memory
	Fsync bool
	Log   *slog.Logger
	// Reorder is the share (0 to 1) of a standard queue's choices that take
	// another message than the oldest, Duplicate the share of its deleted messages
	// that are delivered once more.
	Reorder, Duplicate float64
	Seed               uint64
	Limits             bool
	// MaxInFlight is how many messages of a queue may be in flight while Limits is
	// on; 0 is AWS's 120,000.
	MaxInFlight int
}

const (
	region    = "us-east-1"
	account   = "000000000000"
	arnPrefix = "arn:aws:sqs:" + region + ":" + account + ":"
)

// Service is the queues. It is safe for concurrent use.
//
// The locks are taken in this order: mu, then one queue's, then fileMu. A call
// that touches one queue holds mu for reading and the queue's lock (withQueue).
// One that touches several holds mu for writing and needs no queue's lock
// (exclusively): creation and deletion, dead letters, move tasks, the beginning
// and the end of a compaction.
type Service struct {
	o       Options
	mu      sync.RWMutex
	queues  map[string]*queue
	deleted map[string]int64 // when, ms: names that cannot be used yet
	tasks   []*moveTask      // the oldest first
	seq     atomic.Uint64

	fileMu      sync.Mutex
	file        *journal.File // nil in memory
	compactAt   int64         // the length from which on a rewrite is tried
	compactFrom int64         // compactAt is never less
	compacting  bool

	closing chan struct{}
	workers sync.WaitGroup
}

// Open reads the journal and returns the queues as they were. Move tasks that
// had not ended go on.
func Open(o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = maxInFlight
	}

	s := &Service{o: o, queues: map[string]*queue{}, deleted: map[string]int64{}, compactFrom: compactFrom, closing: make(chan struct{})}
	if o.Path == "" {
		return s, nil
	}

	if err := s.load(); err != nil {
		return nil, err
	}
	for _, t := range s.tasks {
		s.runTask(t)
	}
	return s, nil
}

// Close stops the move tasks, waits for a compaction, and closes the journal.
func (s *Service) Close() error {
	close(s.closing)
	s.workers.Wait() // they write to the journal

	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

func now() int64 { return time.Now().UnixMilli() }

// withQueue runs f on the queue of a URL, beside calls of other queues. f
// journals by s.write before it changes the queue.
func (s *Service) withQueue(url string, f func(q *queue) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, err := s.find(url)
	if err != nil {
		return err
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	return f(q)
}

// exclusively runs f while no other call runs.
func (s *Service) exclusively(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

// URL returns a queue's address for a client that reached the emulator at base.
func URL(base, name string) string { return base + "/" + account + "/" + name }

// find returns the queue of a URL: its name is the last part of the path.
func (s *Service) find(url string) (*queue, error) {
	if q := s.queues[url[strings.LastIndexByte(url, '/')+1:]]; q != nil {
		return q, nil
	}
	return nil, noQueue()
}

// byARN returns nil where no such queue exists.
func (s *Service) byARN(arn string) *queue {
	name, ok := strings.CutPrefix(arn, arnPrefix)
	if !ok {
		return nil
	}
	return s.queues[name]
}

// write journals entries with one write. It is called before they are applied
// and answered: what a client was told survives a crash. After an error nothing
// of them is kept.
func (s *Service) write(entries ...entry) error {
	if s.file == nil || len(entries) == 0 {
		return nil
	}
	frames := encode(entries...)

	s.fileMu.Lock()
	defer s.fileMu.Unlock()
	if err := s.file.Append(frames...); err != nil {
		return fmt.Errorf("sqs: %w", err)
	}

	// In the background: this call need not wait for it.
	if s.file.Size() >= s.compactAt && !s.compacting {
		s.compacting = true
		s.workers.Go(s.compact)
	}
	return nil
}
