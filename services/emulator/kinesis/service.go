package kinesis

import (
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tandem/services/emulator/wire"
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
}

const (
	region  = "us-east-1"
	account = "000000000000"
	// Limits of a shard.
	// https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
	writeRecords = 1000    // a second
	writeBytes   = 1 << 20 // a second
	readCalls    = 5       // a second
	readBytes    = 2 << 20 // a second
	pruneEvery   = time.Minute
)

// Service holds the streams. It is safe for concurrent use.
type Service struct {
	o         Options
	temporary bool
	mu        sync.Mutex
	streams   map[string]*stream
	pruned    time.Time
}

// stream is one stream; the service's lock guards it.
type stream struct {
	Name      string     `json:"name"`
	Created   int64      `json:"created"` // ms
	Retention int32      `json:"retention_hours"`
	Shards    []*shard   `json:"shards"`
	Consumers []consumer `json:"consumers,omitempty"`
	KeyID     string     `json:"key_id,omitempty"`
	next      uint64     // the sequence of the next record, of any shard
	arrived   int64      // ms, of the newest record
}

// shard is one shard of a stream.
type shard struct {
	ID         string   `json:"id"`
	Start      *big.Int `json:"start"` // hash keys, both inclusive
	End        *big.Int `json:"end"`
	Parents    []string `json:"parents,omitempty"`
	FirstSeq   uint64   `json:"first_seq"`
	ClosedSeq  uint64   `json:"closed_seq,omitempty"` // 0 while it is open
	log        *log
	records    *rate.Limiter
	bytes      *rate.Limiter
	reads      *rate.Limiter
	readDebt   float64 // bytes that were read beyond the rate
	readAt     time.Time
	putRecords int64
	putBytes   int64
}

func (sh *shard) open() bool { return sh.ClosedSeq == 0 }

// Open reads the topology and the segments.
func Open(o Options) (s *Service, err error) {
	s = &Service{o: o, streams: map[string]*stream{}}
	if o.IteratorLife == 0 {
		s.o.IteratorLife = 5 * time.Minute
	}
	if o.Dir == "" {
		if s.o.Dir, err = os.MkdirTemp("", "tandem-streams-"); err != nil {
			return nil, fmt.Errorf("kinesis: %w", err)
		}
		s.temporary = true
	}
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("kinesis: %w", err)
	}
	b, err := os.ReadFile(s.topology())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kinesis: %w", err)
	}
	if err := json.Unmarshal(b, &s.streams); err != nil {
		return nil, fmt.Errorf("kinesis: %s cannot be read: %w", s.topology(), err)
	}
	for _, st := range s.streams {
		st.next = firstSequence(st.Created)
		for _, sh := range st.Shards {
			if err := s.openShard(st, sh); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func (s *Service) topology() string { return filepath.Join(s.o.Dir, "streams.json") }

func (s *Service) openShard(st *stream, sh *shard) (err error) {
	dir := filepath.Join(s.o.Dir, fmt.Sprintf("%s-%d", st.Name, st.Created), sh.ID)
	if sh.log, err = openLog(dir, s.o.Fsync); err != nil {
		return err
	}
	if last, ok := sh.log.last(); ok {
		st.next, st.arrived = max(st.next, last.Seq+1), max(st.arrived, last.Arrived)
	}
	st.next = max(st.next, sh.FirstSeq, sh.ClosedSeq+1)
	sh.records = rate.NewLimiter(writeRecords, writeRecords)
	sh.bytes = rate.NewLimiter(writeBytes, writeBytes)
	sh.reads = rate.NewLimiter(readCalls, readCalls)
	return nil
}

// saveTopology replaces streams.json: whole, or the one before.
func (s *Service) saveTopology() error {
	b, err := json.Marshal(s.streams)
	if err != nil {
		return fmt.Errorf("kinesis: %w", err)
	}
	tmp := s.topology() + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("kinesis: %w", err)
	}
	return os.Rename(tmp, s.topology())
}

// Close closes the files; a temporary folder goes.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, st := range s.streams {
		for _, sh := range st.Shards {
			errs = append(errs, sh.log.close())
		}
	}
	if s.temporary {
		errs = append(errs, os.RemoveAll(s.o.Dir))
	}
	return errors.Join(errs...)
}

// Sequence numbers are decimal strings, rising through time and across streams
// of one name: a stream's begin with the time at which it was made.

const sequencePrefix = "4966"

func firstSequence(createdMS int64) uint64 { return uint64(createdMS) << 20 }

func sequenceText(seq uint64) string { return fmt.Sprintf("%s%020d", sequencePrefix, seq) }

func parseSequence(text string) (uint64, bool) {
	digits, ok := strings.CutPrefix(text, sequencePrefix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

func arn(name string) string { return "arn:aws:kinesis:" + region + ":" + account + ":stream/" + name }

// target names a stream by name or ARN.
type target struct {
	StreamName, StreamARN string
}

func (s *Service) find(t target) (*stream, error) {
	name := t.StreamName
	if name == "" {
		name = t.StreamARN[strings.LastIndexByte(t.StreamARN, '/')+1:]
	}
	if st := s.streams[name]; st != nil && name != "" {
		return st, nil
	}
	return nil, wire.Bad("ResourceNotFoundException", "Stream %s under account %s not found.", name, account)
}

func (st *stream) shard(id string) *shard {
	for _, sh := range st.Shards {
		if sh.ID == id {
			return sh
		}
	}
	return nil
}

func (st *stream) gone(id string) error {
	return wire.Bad("ResourceNotFoundException", "Shard %s in stream %s under account %s does not exist", id, st.Name, account)
}

// maxHash is 2^128 - 1.
func maxHash() *big.Int {
	return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
}

// route finds the open shard of a record.
func (st *stream) route(key, explicit string) (*shard, error) {
	hash := new(big.Int)
	if explicit != "" {
		if _, ok := hash.SetString(explicit, 10); !ok || hash.Sign() < 0 || hash.Cmp(maxHash()) > 0 || strings.HasPrefix(explicit, "+") {
			return nil, wire.Bad("InvalidArgumentException", "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was %s", explicit)
		}
	} else {
		sum := md5.Sum([]byte(key))
		hash.SetBytes(sum[:])
	}
	for _, sh := range st.Shards {
		if sh.open() && sh.Start.Cmp(hash) <= 0 && sh.End.Cmp(hash) >= 0 {
			return sh, nil
		}
	}
	return nil, fmt.Errorf("kinesis: no open shard of %s holds %s", st.Name, hash)
}

// prune drops what passed retention, and the oldest of what is over the cap.
func (s *Service) prune(at int64) error {
	if time.Since(s.pruned) < pruneEvery {
		return nil
	}
	s.pruned = time.Now()
	total := int64(0)
	var errs []error
	for _, st := range s.streams {
		for _, sh := range st.Shards {
			errs = append(errs, sh.log.dropBefore(at-int64(st.Retention)*time.Hour.Milliseconds()))
			total += sh.log.size()
		}
	}
	for s.o.BytesCap > 0 && total > s.o.BytesCap {
		l := s.oldestLog()
		if l == nil {
			break
		}
		total -= l.segments[0].file.Size()
		errs = append(errs, l.segments[0].remove())
		l.segments = l.segments[1:]
	}
	return errors.Join(errs...)
}

// oldestLog is the log whose first closed segment is the oldest.
func (s *Service) oldestLog() (oldest *log) {
	for _, st := range s.streams {
		for _, sh := range st.Shards {
			l := sh.log
			if len(l.segments) > 1 && (oldest == nil || l.segments[0].First.Arrived < oldest.segments[0].First.Arrived) {
				oldest = l
			}
		}
	}
	return oldest
}
