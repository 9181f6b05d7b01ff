package sqs

import (
	"container/list"
	"encoding/json"
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
	// compactAt is the length below which a journal is never rewritten.
	compactAt = 8 << 20
)

// Service holds the queues. It is safe for concurrent use.
type Service struct {
	o      Options
	mu     sync.Mutex
	queues map[string]*queue
	file   *journal.File // nil in memory
	seq    uint64
	moves  []moveTask
	// compactAt is the journal's length that is worth a rewrite.
	compactAt int64
}

// entry is one line of the journal.
type entry struct {
	Op         string            `json:"op"` // queue, attributes, delete-queue, send, delete, purge, move; sequence and dedup in a snapshot
	Queue      string            `json:"q"`
	To         string            `json:"to,omitempty"` // move: the other queue
	ID         string            `json:"id,omitempty"`
	Attributes map[string]string `json:"a,omitempty"`
	At         int64             `json:"at,omitempty"`
	Message    *message          `json:"m,omitempty"`
	Dedup      *dedupEntry       `json:"d,omitempty"`
}

// Open reads the journal and gives the queues as they were.
func Open(o Options) (*Service, error) {
	s := &Service{o: o, queues: map[string]*queue{}, compactAt: compactAt}
	if o.Path == "" {
		return s, nil
	}
	f, err := journal.Open(o.Path, o.Fsync, func(_ int64, payload []byte) error {
		var e entry
		if err := json.Unmarshal(payload, &e); err != nil {
			return err
		}
		return s.replay(e)
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

// replay applies an entry of the journal. One that this version did not write
// is an error: forgetting silently is worse than not starting.
func (s *Service) replay(e entry) error {
	switch e.Op {
	case "queue":
		s.queues[e.Queue] = newQueue(e.Queue, e.Attributes, e.At, s.o.Seed)
		return nil
	case "sequence":
		s.seq = max(s.seq, uint64(e.At))
		return nil
	}
	q := s.queues[e.Queue]
	if q == nil || (e.Op == "send" || e.Op == "move") && e.Message == nil || e.Op == "dedup" && e.Dedup == nil {
		return fmt.Errorf("%q of queue %q cannot be applied", e.Op, e.Queue)
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
	case "dedup":
		q.dedup[e.Dedup.Key] = *e.Dedup
	default:
		return fmt.Errorf("%q is of another version", e.Op)
	}
	return nil
}

func newQueue(name string, attributes map[string]string, at int64, seed uint64) *queue {
	q := &queue{
		name: name, arn: "arn:aws:sqs:" + region + ":" + account + ":" + name, created: at,
		attributes: map[string]string{
			"VisibilityTimeout": "30", "DelaySeconds": "0", "MaximumMessageSize": strconv.Itoa(maxMessage),
			"MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
		},
		byID: map[string]*message{}, dedup: map[string]dedupEntry{}, changed: make(chan struct{}), run: time.Now().UnixNano(),
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

// compact rewrites the journal when it is twice as long as after the last time:
// most of it is of messages that are gone. It is called between operations,
// with the lock held. A failure leaves the journal as it was.
func (s *Service) compact() {
	if s.file == nil || s.file.Size() < s.compactAt {
		return
	}
	payloads, err := s.snapshot()
	if err == nil {
		err = s.file.Rewrite(payloads)
	}
	if err != nil {
		s.o.Log.Warn("the queues' journal was not made shorter", "err", err)
	}
	s.compactAt = max(compactAt, 2*s.file.Size())
}

// snapshot gives the entries that make the queues as they are.
func (s *Service) snapshot() (payloads [][]byte, err error) {
	entries := []entry{{Op: "sequence", At: int64(s.seq)}}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		entries = append(entries, entry{Op: "queue", Queue: name, Attributes: q.attributes, At: q.created})
		for _, m := range q.inOrder() {
			kept := *m
			if m.inFlight {
				kept.VisibleAt = 0 // receives are not kept
			}
			entries = append(entries, entry{Op: "send", Queue: name, Message: &kept})
		}
		for _, d := range q.dedup { // of messages that are gone too
			entries = append(entries, entry{Op: "dedup", Queue: name, Dedup: &d})
		}
	}
	for _, e := range entries {
		b, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("sqs: journal: %w", err)
		}
		payloads = append(payloads, b)
	}
	return payloads, nil
}

// do runs f under the lock; f journals by s.write and applies.
func (s *Service) do(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.compact()
	return f()
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
