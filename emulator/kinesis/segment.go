package kinesis

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"tandem/emulator/journal"
)

// indexEntry is one entry of the sparse index.
type indexEntry struct {
	Seq     uint64 `json:"s"`
	Arrived int64  `json:"a"` // ms
	Offset  int64  `json:"o"`
}

// segment is one file of records. Once it is full its index stands beside it,
// and the file is opened only to be read. The shard's lock guards the one that
// is written; the others do not change any more.
type segment struct {
	path    string
	Entries []indexEntry `json:"marks"` // rising in everything; the first is First
	Last    indexEntry   `json:"last"`
	Count   int          `json:"count"` // above 0, but in a new one
	Size    int64        `json:"size"`  // bytes
}

func (s *segment) indexPath() string { return s.path + ".index" }

// add adds a record at offset to the index; what follows begins at end.
func (s *segment) add(r record, offset, end int64) {
	m := indexEntry{r.seq, r.arrived, offset}
	if n := len(s.Entries); n == 0 || offset-s.Entries[n-1].Offset >= indexEvery {
		s.Entries = append(s.Entries, m)
	}

	s.Last = m
	s.Count++
	s.Size = end
}

func (s *segment) full(nowMS int64) bool {
	return s.Size > segmentBytes || s.Count > 0 && nowMS-s.Entries[0].Arrived > segmentAge.Milliseconds()
}

// writeIndex puts the index beside the file. Torn by a crash, it is not used.
func (s *segment) writeIndex() error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("kinesis: index: %w", err)
	}
	if err := os.WriteFile(s.indexPath(), b, 0o600); err != nil {
		return fmt.Errorf("kinesis: index: %w", err)
	}
	return nil
}

var errIndex = errors.New("kinesis: an index cannot be used")

// parseIndex reads an index and checks that reading by it stays inside a file
// of size bytes.
func parseIndex(b []byte, size int64) (*segment, error) {
	s := &segment{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%w: %w", errIndex, err)
	}

	if s.Size != size || s.Count < 1 || len(s.Entries) == 0 || len(s.Entries) > s.Count || s.Entries[0].Offset < 0 || s.Entries[0].Offset >= size {
		return nil, errIndex
	}
	// Offsets that rise inside the file are what reading relies on.
	for i, m := range append(s.Entries[1:len(s.Entries):len(s.Entries)], s.Last) {
		before := s.Entries[i]
		single := i == len(s.Entries)-1 && m == before // the last mark is the last record's
		if !single && (m.Seq <= before.Seq || m.Arrived < before.Arrived || m.Offset <= before.Offset || m.Offset >= size) {
			return nil, errIndex
		}
	}
	return s, nil
}

// openIndexed opens a full segment by its index.
func openIndexed(path string) (*segment, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("kinesis: %w", err)
	}

	b, err := os.ReadFile(path + ".index")
	if err != nil {
		return nil, fmt.Errorf("kinesis: %w", err)
	}

	s, err := parseIndex(b, info.Size())
	if err != nil {
		return nil, err
	}

	s.path = path
	return s, nil
}

// openWhole opens a segment by reading all of it; what is torn is cut off.
func openWhole(path string, fsync bool) (*segment, *journal.File, error) {
	s := &segment{path: path}
	f, err := journal.Open(path, fsync, func(offset int64, payload []byte) error {
		r, err := decodeRecord(payload)
		if err == nil {
			s.add(r, offset, offset+journal.FrameSize(len(payload)))
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	s.Size = f.Size()
	return s, f, nil
}

// remove deletes the files. A reader that has opened them can read on.
func (s *segment) remove() error {
	err := os.Remove(s.indexPath())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(os.Remove(s.path), err)
}

// span is a part of a segment, to be read without a lock: its bytes do not
// change, though the file may be gone.
type span struct {
	path        string
	offset, end int64
	last        uint64 // its last sequence
}

// before returns the last entry for which less holds, or the first.
func (s *segment) before(less func(indexEntry) bool) indexEntry {
	i := sort.Search(len(s.Entries), func(i int) bool { return !less(s.Entries[i]) })
	return s.Entries[max(0, i-1)]
}

// buffers are what reading a span takes.
type buffers struct {
	r     *bufio.Reader
	frame []byte
}

// read calls each for the span's records, until it says stop.
func (p span) read(b *buffers, each func(record) (more bool)) (stopped bool, err error) {
	f, err := os.Open(p.path)
	if err != nil {
		return false, fmt.Errorf("kinesis: %w", err)
	}
	defer func() { _ = f.Close() }() // only read

	b.r.Reset(io.NewSectionReader(f, p.offset, p.end-p.offset))
	for {
		if b.frame, err = journal.ReadFrame(b.r, b.frame); errors.Is(err, io.EOF) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("kinesis: %s: %w", p.path, err)
		}

		r, err := decodeRecord(b.frame)
		if err != nil {
			return false, err
		}
		if !each(r) {
			return true, nil
		}
	}
}
