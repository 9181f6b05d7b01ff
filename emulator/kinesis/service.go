package kinesis

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tandem/emulator/wire"
)

// Options configures a Service.
type Options struct {
	Dir      string // of topology and segments; empty: a temporary one
	Fsync    bool
	Log      *slog.Logger
	Limits   bool
	BytesCap int64 // of all streams together; 0: none
	// IteratorLife is how long an iterator can be used. 0: 5 minutes.
	IteratorLife time.Duration
	// Now is the clock of arrival, retention, limits and expiry. nil: time.Now.
	Now func() time.Time
}

const (
	region  = "us-east-1"
	account = "000000000000"
	// pruneEvery is how often puts look for what may be dropped.
	pruneEvery = time.Minute
)

// Service holds the streams. It is safe for concurrent use; doc.go has the
// order of its locks.
type Service struct {
	o         Options
	temporary bool
	changing  sync.Mutex // one change of topology at a time, with its saving
	mu        sync.RWMutex
	streams   map[string]*stream // guarded by mu; changed under changing too
	subs      subscriptions
	pruned    atomic.Int64 // ms
	readers   sync.Pool    // of *buffers
	answers   sync.Pool    // of *[]byte
}

// Open reads the topology and the segments.
func Open(o Options) (*Service, error) {
	if o.IteratorLife == 0 {
		o.IteratorLife = 5 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	s := &Service{o: o, streams: map[string]*stream{}}
	s.subs.active = map[subscriber]*subscription{}
	s.readers.New = func() any { return &buffers{r: bufio.NewReaderSize(nil, 64<<10)} }
	s.answers.New = func() any { return new([]byte) }

	if o.Dir == "" {
		var err error
		if s.o.Dir, err = os.MkdirTemp("", "tandem-streams-"); err != nil {
			return nil, fmt.Errorf("kinesis: %w", err)
		}
		s.temporary = true
	}

	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.Close())
	}

	return s, nil
}

// Ops returns the operations by name.
func (s *Service) Ops() map[string]wire.Op {
	return map[string]wire.Op{
		"CreateStream":                  wire.Handle(s.createStream),
		"DeleteStream":                  wire.Handle(s.deleteStream),
		"ListStreams":                   wire.Handle(s.listStreams),
		"DescribeStream":                wire.Handle(s.describe),
		"DescribeStreamSummary":         wire.Handle(s.summary),
		"ListShards":                    wire.Handle(s.listShards),
		"SplitShard":                    wire.Handle(s.split),
		"MergeShards":                   wire.Handle(s.merge),
		"UpdateShardCount":              wire.Handle(s.updateShardCount),
		"IncreaseStreamRetentionPeriod": wire.Handle(s.increaseRetention),
		"DecreaseStreamRetentionPeriod": wire.Handle(s.decreaseRetention),
		"RegisterStreamConsumer":        wire.Handle(s.registerConsumer),
		"DeregisterStreamConsumer":      wire.Handle(s.deregisterConsumer),
		"DescribeStreamConsumer":        wire.Handle(s.describeConsumer),
		"ListStreamConsumers":           wire.Handle(s.listConsumers),
		"PutRecord":                     wire.Handle(s.putRecord),
		"PutRecords":                    wire.Handle(s.putRecords),
		"GetShardIterator":              wire.Handle(s.iterator),
		"GetRecords":                    wire.Handle(s.getRecords),
		"SubscribeToShard":              wire.Handle(s.subscribe),
	}
}

// Close ends the subscriptions and closes the files; a temporary folder goes.
func (s *Service) Close() error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()

	// First: a subscription that then finds no files ends for this reason, not
	// with an error of reading.
	s.subs.end(func(subscriber) bool { return true }, wire.Bad("InternalFailureException", "The emulator ends."))

	var errs []error
	for _, st := range s.streams {
		errs = append(errs, st.each((*shard).close))
	}

	if s.temporary {
		errs = append(errs, os.RemoveAll(s.o.Dir))
	}
	return errors.Join(errs...)
}

// Writable returns why nothing can be stored now: it writes as much as a put of
// some hundred records, and removes it. Others may call it at the same time.
func (s *Service) Writable() error {
	path := filepath.Join(s.o.Dir, "probe")
	err := os.WriteFile(path, make([]byte, 64<<10), 0o600)
	if gone := os.Remove(path); err == nil && gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = gone
	}
	if err != nil {
		return fmt.Errorf("kinesis: %w", err)
	}
	return nil
}

func (s *Service) nowMS() int64 { return s.o.Now().UnixMilli() }

// target names a stream by name or ARN.
type target struct {
	StreamName, StreamARN string
}

func (t target) name() string {
	if t.StreamName != "" {
		return t.StreamName
	}
	return t.StreamARN[strings.LastIndexByte(t.StreamARN, '/')+1:]
}

func streamARN(name string) string {
	return "arn:aws:kinesis:" + region + ":" + account + ":stream/" + name
}

func noStream(name string) error {
	return wire.Bad("ResourceNotFoundException", "Stream %s under account %s not found.", name, account)
}

func (s *Service) find(t target) (*stream, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if st := s.streams[t.name()]; st != nil {
		return st, nil
	}
	return nil, noStream(t.name())
}

// acquire finds a stream and shares its lock: its topology stands still until
// done is called.
func (s *Service) acquire(t target) (st *stream, done func(), err error) {
	if st, err = s.find(t); err != nil {
		return nil, nil, err
	}

	// Looked at again under its lock: a deletion may have come between.
	st.mu.RLock()
	if st.deleted {
		st.mu.RUnlock()
		return nil, nil, noStream(t.name())
	}

	return st, st.mu.RUnlock, nil
}

// info returns a stream's topology as it is now.
func (s *Service) info(t target) (*streamInfo, error) {
	st, err := s.find(t)
	if err != nil {
		return nil, err
	}
	return st.topology(), nil
}

// all returns the streams, ordered by name.
func (s *Service) all() []*stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*stream, 0, len(s.streams))
	for _, name := range slices.Sorted(maps.Keys(s.streams)) {
		out = append(out, s.streams[name])
	}
	return out
}

// Has reports whether a stream of this name exists.
func (s *Service) Has(name string) bool {
	_, err := s.find(target{StreamName: name})
	return err == nil
}

// invalid returns the error of AWS for a parameter that breaks a rule of its
// type.
func invalid(parameter, rule string) error {
	return wire.Bad("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must %s", parameter, rule)
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

// checkName checks the name of a stream or of a consumer.
func checkName(parameter, name string) error {
	if !validName.MatchString(name) {
		return invalid(parameter, "satisfy regular expression pattern: [a-zA-Z0-9_.-]+, and have length between 1 and 128")
	}
	return nil
}
