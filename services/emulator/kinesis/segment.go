package kinesis

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"tandem/services/emulator/journal"
)

const (
	segmentBytes = 8 << 20
	segmentAge   = 15 * time.Minute
	indexEvery   = 64 << 10
)

// record is one stored record.
type record struct {
	seq     uint64
	arrived int64 // ms
	key     string
	data    []byte
}

var errRecord = errors.New("kinesis: a stored record cannot be read")

func (r record) encode() []byte {
	b := make([]byte, 0, 20+len(r.key)+len(r.data))
	b = binary.LittleEndian.AppendUint64(b, r.seq)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.arrived))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.key)))
	b = append(b, r.key...)
	return append(b, r.data...)
}

func decodeRecord(b []byte) (record, error) {
	if len(b) < 20 {
		return record{}, errRecord
	}
	n := binary.LittleEndian.Uint32(b[16:])
	if uint64(n) > uint64(len(b)-20) {
		return record{}, errRecord
	}
	return record{
		seq: binary.LittleEndian.Uint64(b), arrived: int64(binary.LittleEndian.Uint64(b[8:])),
		key: string(b[20 : 20+n]), data: b[20+n:],
	}, nil
}

// mark is one entry of the sparse index.
type mark struct {
	Seq     uint64 `json:"s"`
	Arrived int64  `json:"a"`
	Offset  int64  `json:"o"`
}

// segment is one file of records. Its index stands beside it once it is closed.
type segment struct {
	path  string
	file  *journal.File
	Marks []mark `json:"marks"`
	First mark   `json:"first"`
	Last  mark   `json:"last"`
	Count int    `json:"count"`
	done  bool
}

func openSegment(path string, fsync bool) (*segment, error) {
	s := &segment{path: path}
	if b, err := os.ReadFile(path + ".index"); err == nil && json.Unmarshal(b, s) == nil {
		s.done = true
	}
	f, err := openFrames(path, fsync, s)
	if err != nil {
		return nil, err
	}
	s.file = f
	return s, nil
}

// openFrames opens the file; a closed segment's frames are not read again.
func openFrames(path string, fsync bool, s *segment) (*journal.File, error) {
	if s.done {
		return journal.OpenSealed(path)
	}
	return journal.Open(path, fsync, func(offset int64, payload []byte) error {
		r, err := decodeRecord(payload)
		if err != nil {
			return err
		}
		s.note(r, offset)
		return nil
	})
}

// note keeps the index up to date with a record at offset.
func (s *segment) note(r record, offset int64) {
	m := mark{r.seq, r.arrived, offset}
	if s.Count == 0 {
		s.First = m
	}
	if n := len(s.Marks); n == 0 || offset-s.Marks[n-1].Offset >= indexEvery {
		s.Marks = append(s.Marks, m)
	}
	s.Last = m
	s.Count++
}

func (s *segment) full(at int64) bool {
	return s.Count > 0 && (s.file.Size() > segmentBytes || at-s.First.Arrived > segmentAge.Milliseconds())
}

// seal writes the index beside the file: nothing is added any more.
func (s *segment) seal() error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("kinesis: index: %w", err)
	}
	s.done = true
	return os.WriteFile(s.path+".index", b, 0o600)
}

func (s *segment) remove() error {
	err := os.Remove(s.path + ".index")
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(s.file.Remove(), err)
}

// offsetOf is where reading for seq may begin.
func (s *segment) offsetOf(seq uint64) int64 {
	i := sort.Search(len(s.Marks), func(i int) bool { return s.Marks[i].Seq > seq })
	if i == 0 {
		return s.First.Offset
	}
	return s.Marks[i-1].Offset
}

// log is one shard's records.
type log struct {
	dir      string
	fsync    bool
	segments []*segment
}

func openLog(dir string, fsync bool) (*log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("kinesis: %w", err)
	}
	l := &log{dir: dir, fsync: fsync}
	paths, err := filepath.Glob(filepath.Join(dir, "*.segment"))
	if err != nil {
		return nil, fmt.Errorf("kinesis: %w", err)
	}
	slices.SortFunc(paths, strings.Compare)
	for _, p := range paths {
		s, err := openSegment(p, fsync)
		if err != nil {
			return nil, err
		}
		l.segments = append(l.segments, s)
	}
	return l, nil
}

func (l *log) last() (mark, bool) {
	for i := len(l.segments) - 1; i >= 0; i-- {
		if l.segments[i].Count > 0 {
			return l.segments[i].Last, true
		}
	}
	return mark{}, false
}

// append stores records with one write.
func (l *log) append(records []record, at int64) error {
	n := len(l.segments)
	if n > 0 && !l.segments[n-1].done && l.segments[n-1].full(at) {
		if err := l.segments[n-1].seal(); err != nil {
			return err
		}
	}
	if n == 0 || l.segments[n-1].done {
		s, err := openSegment(filepath.Join(l.dir, fmt.Sprintf("%020d.segment", records[0].seq)), l.fsync)
		if err != nil {
			return err
		}
		l.segments = append(l.segments, s)
	}
	s := l.segments[len(l.segments)-1]
	payloads := make([][]byte, len(records))
	for i, r := range records {
		payloads[i] = r.encode()
	}
	offset := s.file.Size()
	if err := s.file.Append(payloads...); err != nil {
		return err
	}
	for i, r := range records {
		s.note(r, offset)
		offset += journal.FrameSize(len(payloads[i]))
	}
	return nil
}

// read gives records from seq on, at most count and bytes; more says that the
// tip was not reached, and since when the first unread record lies there.
func (l *log) read(from uint64, count, bytes int) (out []record, more bool, waiting int64, err error) {
	size := 0
	for _, s := range l.segments {
		if s.Count == 0 || s.Last.Seq < from {
			continue
		}
		_, err := s.file.ReadAt(s.offsetOf(from), func(payload []byte) bool {
			r, err := decodeRecord(payload)
			if err != nil || r.seq < from {
				return err == nil
			}
			if len(out) == count || size+len(r.data)+len(r.key) > bytes && len(out) > 0 {
				more, waiting = true, r.arrived
				return false
			}
			size += len(r.data) + len(r.key)
			out = append(out, r)
			return true
		})
		if err != nil || more {
			return out, more, waiting, err
		}
	}
	return out, false, 0, nil
}

// at gives the first sequence that arrived at ms or later, or next.
func (l *log) at(ms int64, next uint64) (uint64, error) {
	for _, s := range l.segments {
		if s.Count == 0 || s.Last.Arrived < ms {
			continue
		}
		i := sort.Search(len(s.Marks), func(i int) bool { return s.Marks[i].Arrived >= ms })
		offset := s.First.Offset
		if i > 0 {
			offset = s.Marks[i-1].Offset
		}
		found := next
		_, err := s.file.ReadAt(offset, func(payload []byte) bool {
			r, err := decodeRecord(payload)
			if err == nil && r.arrived >= ms {
				found = r.seq
				return false
			}
			return true
		})
		return found, err
	}
	return next, nil
}

// oldest gives the first sequence that is kept, or next.
func (l *log) oldest(next uint64) uint64 {
	for _, s := range l.segments {
		if s.Count > 0 {
			return s.First.Seq
		}
	}
	return next
}

func (l *log) size() (n int64) {
	for _, s := range l.segments {
		n += s.file.Size()
	}
	return n
}

// dropBefore drops whole segments whose newest record arrived before ms; the
// one that is written to stays.
func (l *log) dropBefore(ms int64) error {
	for len(l.segments) > 1 && l.segments[0].Last.Arrived < ms {
		if err := l.segments[0].remove(); err != nil {
			return err
		}
		l.segments = l.segments[1:]
	}
	return nil
}

func (l *log) close() error {
	var errs []error
	for _, s := range l.segments {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}
