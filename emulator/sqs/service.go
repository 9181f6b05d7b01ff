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
	Path  string // of the journal; empty keeps everything in memory
	Fsync bool
	Log   *slog.Logger
	// Reorder and Duplicate are shares (0 to 1) of a standard queue's receives.
	Reorder, Duplicate float64
	Seed               uint64
	Limits             bool
	// MaxInFlight is a queue's limit of messages in flight, when Limits is on;
	// 0 is AWS's 120,000.
	MaxInFlight int
}

const (
	region    = "us-east-1"
	account   = "000000000000"
	arnPrefix = "arn:aws:sqs:" + region + ":" + account + ":"
)

// Service holds the queues. It is safe for concurrent use.
//
// Locks, in this order: mu, then one queue's, then file's. What touches one
// queue holds mu for reading and the queue's; what touches several (topology,
// dead letters, move tasks, the beginning and end of a compaction) holds mu for
// writing and needs no queue's.
type Service struct {
	o       Options
	mu      sync.RWMutex
	queues  map[string]*queue
	deleted map[string]int64 // when, ms: names that cannot be used yet
	tasks   []*moveTask      // the oldest first
	seq     atomic.Uint64

	fileMu      sync.Mutex
	file        *journal.File // nil in memory
	compactAt   int64         // the length that is worth a rewrite
	compactFrom int64         // the least that compactAt is
	compacting  bool

	closing chan struct{}
	workers sync.WaitGroup
}

// Open reads the journal and gives the queues as they were.
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
		s.goOn(t)
	}
	return s, nil
}

// Close ends what runs and closes the journal.
func (s *Service) Close() error {
	close(s.closing)
	s.workers.Wait()
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

func now() int64 { return time.Now().UnixMilli() }

// on runs f on the queue of a URL; f journals by s.write and applies.
func (s *Service) on(url string, f func(q *queue) error) error {
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

// alone runs f with nothing else running.
func (s *Service) alone(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

// URL is the queue's address for a client that reached the emulator at base.
func URL(base, name string) string { return base + "/" + account + "/" + name }

// find gives the queue of a URL: its name is the last part of the path.
func (s *Service) find(url string) (*queue, error) {
	if q := s.queues[url[strings.LastIndexByte(url, '/')+1:]]; q != nil {
		return q, nil
	}
	return nil, noQueue()
}

func (s *Service) byARN(arn string) *queue {
	name, ok := strings.CutPrefix(arn, arnPrefix)
	if !ok {
		return nil
	}
	return s.queues[name]
}

// write journals entries with one write, before they are applied and answered.
// After an error nothing of them is kept.
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
	if s.file.Size() >= s.compactAt && !s.compacting {
		s.compacting = true
		s.workers.Go(s.compact)
	}
	return nil
}
