package sqs

import (
	"container/list"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tandem/services/emulator/journal"
	"tandem/services/emulator/wire"
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
}

const (
	region  = "us-east-1"
	account = "000000000000"
	// compactAt is when a journal of mostly deleted messages is rewritten.
	compactAt = 8 << 20
)

// Service holds the queues. It is safe for concurrent use.
type Service struct {
	o      Options
	mu     sync.Mutex
	queues map[string]*queue
	file   *journal.File // nil in memory
	seq    uint64
	rng    *rand.Rand
	moves  []moveTask
}

// entry is one line of the journal.
type entry struct {
	Op         string            `json:"op"` // queue, attributes, delete-queue, send, delete, purge, move
	Queue      string            `json:"q"`
	To         string            `json:"to,omitempty"` // move: the other queue
	ID         string            `json:"id,omitempty"`
	Attributes map[string]string `json:"a,omitempty"`
	At         int64             `json:"at,omitempty"`
	Message    *message          `json:"m,omitempty"`
}

// Open reads the journal and gives the queues as they were.
func Open(o Options) (*Service, error) {
	s := &Service{o: o, queues: map[string]*queue{}, rng: rand.New(rand.NewPCG(o.Seed, 0x5151))}
	if o.Path == "" {
		return s, nil
	}
	f, err := journal.Open(o.Path, o.Fsync, func(_ int64, payload []byte) error {
		var e entry
		if err := json.Unmarshal(payload, &e); err != nil {
			return err
		}
		s.replay(e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.file = f
	return s, nil
}

// Close closes the journal.
func (s *Service) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

func now() int64 { return time.Now().UnixMilli() }

func (s *Service) replay(e entry) {
	q := s.queues[e.Queue]
	if e.Op == "queue" {
		s.queues[e.Queue] = newQueue(e.Queue, e.Attributes, e.At, s.o.Seed)
		return
	}
	if q == nil {
		return
	}
	switch e.Op {
	case "attributes":
		maps.Copy(q.attributes, e.Attributes)
	case "delete-queue":
		delete(s.queues, e.Queue)
	case "send":
		s.seq = max(s.seq, e.Message.Seq)
		q.add(e.Message, now())
		q.remember(e.Message)
	case "delete":
		if m := q.byID[e.ID]; m != nil {
			q.remove(m)
		}
	case "purge":
		for _, m := range q.byID {
			q.remove(m)
		}
	case "move":
		if m, to := q.byID[e.ID], s.queues[e.To]; m != nil && to != nil {
			q.remove(m)
			s.seq = max(s.seq, e.Message.Seq)
			to.add(e.Message, now())
		}
	}
}

func newQueue(name string, attributes map[string]string, at int64, seed uint64) *queue {
	q := &queue{
		name: name, arn: "arn:aws:sqs:" + region + ":" + account + ":" + name, created: at,
		attributes: map[string]string{
			"VisibilityTimeout": "30", "DelaySeconds": "0", "MaximumMessageSize": strconv.Itoa(maxMessage),
			"MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
		},
		byID: map[string]*message{}, dedup: map[string]dedupEntry{}, changed: make(chan struct{}),
		rng: rand.New(rand.NewPCG(seed, uint64(len(name)))),
	}
	maps.Copy(q.attributes, attributes)
	if strings.HasSuffix(name, ".fifo") {
		q.fifo = list.New()
		q.attributes["FifoQueue"] = "true"
		for k, v := range map[string]string{"ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"} {
			if _, ok := q.attributes[k]; !ok {
				q.attributes[k] = v
			}
		}
	}
	return q
}

// write journals entries before they are applied and answered.
func (s *Service) write(entries ...entry) error {
	if s.file == nil || len(entries) == 0 {
		return nil
	}
	payloads := make([][]byte, len(entries))
	for i, e := range entries {
		b, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("sqs: journal: %w", err)
		}
		payloads[i] = b
	}
	return s.file.Append(payloads...)
}

// compactLocked rewrites the journal where most of it is of messages that are
// gone. It is called between operations, with the lock held.
func (s *Service) compactLocked() error {
	if s.file == nil {
		return nil
	}
	live := int64(0)
	for _, q := range s.queues {
		for _, m := range q.byID {
			live += int64(len(m.Body)) + 300
		}
	}
	if s.file.Size() < compactAt+4*live {
		return nil
	}
	var payloads [][]byte
	add := func(e entry) error {
		b, err := json.Marshal(e)
		payloads = append(payloads, b)
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		if err := add(entry{Op: "queue", Queue: name, Attributes: q.attributes, At: q.created}); err != nil {
			return err
		}
		for _, m := range slices.SortedFunc(maps.Values(q.byID), func(a, b *message) int { return int(min(max(int64(a.Seq)-int64(b.Seq), -1), 1)) }) {
			kept := *m
			if m.inFlight {
				kept.VisibleAt = 0 // receives are not kept
			}
			if err := add(entry{Op: "send", Queue: name, Message: &kept}); err != nil {
				return err
			}
		}
	}
	return s.file.Rewrite(payloads)
}

// do runs f under the lock; f journals by s.write and applies.
func (s *Service) do(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(f(), s.compactLocked())
}

// URL is the queue's address for a client that reached the emulator at base.
func URL(base, name string) string { return base + "/" + account + "/" + name }

// find gives the queue of a URL: its name is the last part of the path.
func (s *Service) find(url string) (*queue, error) {
	name := url[strings.LastIndexByte(url, '/')+1:]
	if q := s.queues[name]; q != nil && url != "" {
		return q, nil
	}
	return nil, &wire.Error{
		Status: 400, Code: "QueueDoesNotExist", Query: "AWS.SimpleQueueService.NonExistentQueue",
		Message: "The specified queue does not exist.",
	}
}

func (s *Service) byARN(arn string) *queue {
	q := s.queues[arn[strings.LastIndexByte(arn, ':')+1:]]
	if q == nil || q.arn != arn {
		return nil
	}
	return q
}
