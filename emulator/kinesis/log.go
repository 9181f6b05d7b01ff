package kinesis

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"tandem/emulator/journal"
)

const (
	segmentBytes = 8 << 20
	segmentAge   = 15 * time.Minute
	indexEvery   = 64 << 10
)

// log is one shard's records: segments, oldest first. The shard's lock guards
// it.
type log struct {
	dir      string
	fsync    bool
	segments []*segment
	file     *journal.File // of the last segment while that is written; or nil
	damaged  []string      // files in which acknowledged records went bad
	payload  []byte
	frames   [][]byte
}

func openLog(dir string, fsync bool) (*log, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.segment"))
	if err != nil {
		return nil, fmt.Errorf("kinesis: %w", err)
	}
	slices.SortFunc(paths, strings.Compare)

	l := &log{dir: dir, fsync: fsync}
	for _, p := range paths {
		// The segment before had no usable index and is not the last one: it gets
		// an index now. On a full disk it does without, and the next start reads it
		// whole again.
		if l.file != nil {
			err := l.seal()
			if errors.Is(err, syscall.ENOSPC) {
				err = l.close()
				l.file = nil
			}
			if err != nil {
				return nil, errors.Join(err, l.close())
			}
		}

		// A full segment has an index; without a usable one the file is read
		// whole, and its torn end cut off.
		s, err := openIndexed(p)
		if err != nil {
			if s, l.file, err = openWhole(p, fsync); err != nil {
				return nil, err
			}
			if lost := l.file.Lost(); lost.Damaged {
				l.damaged = append(l.damaged, p)
			}
		}

		l.segments = append(l.segments, s)
	}

	return l, nil
}

// last is the newest record's place.
func (l *log) last() (indexEntry, bool) {
	for _, s := range slices.Backward(l.segments) {
		if s.Count > 0 {
			return s.Last, true
		}
	}
	return indexEntry{}, false
}

// seal writes the index of the segment that is being written and closes it. Where
// the index cannot be written, it stays open.
func (l *log) seal() error {
	s := l.segments[len(l.segments)-1]
	if s.Count > 0 { // an empty one has no index: it is read whole, which is nothing
		if err := s.writeIndex(); err != nil {
			return err
		}
	}

	err := l.file.Close()
	l.file = nil
	if err != nil {
		return fmt.Errorf("kinesis: %w", err)
	}
	return nil
}

// begin makes sure that there is a segment with room.
func (l *log) begin(seq uint64, nowMS int64) error {
	if l.file != nil && l.segments[len(l.segments)-1].full(nowMS) {
		if err := l.seal(); err != nil {
			return err
		}
	}
	if l.file != nil {
		return nil
	}

	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("kinesis: %w", err)
	}
	if l.fsync { // the names of the shard's folder and of the stream's
		if err := errors.Join(journal.SyncDir(l.dir), journal.SyncDir(filepath.Dir(l.dir))); err != nil {
			return err
		}
	}

	path := filepath.Join(l.dir, fmt.Sprintf("%020d.segment", seq))
	f, err := journal.Open(path, l.fsync, func(int64, []byte) error { return nil })
	if err != nil {
		_ = os.Remove(path) // or each try on a full disk would leave one
		return err
	}

	l.file = f
	l.segments = append(l.segments, &segment{path: path, Size: f.Size()})
	return nil
}

// append stores records with one write, before they are acknowledged. After an
// error none of them is stored.
func (l *log) append(records []record, nowMS int64) error {
	if err := l.begin(records[0].seq, nowMS); err != nil {
		return err
	}

	size := 0
	for _, r := range records {
		size += recordHead + r.size()
	}
	l.payload, l.frames = slices.Grow(l.payload[:0], size), l.frames[:0]
	for _, r := range records {
		at := len(l.payload)
		l.payload = r.append(l.payload)
		l.frames = append(l.frames, l.payload[at:])
	}

	// One write for all of them, so that an error leaves none behind.
	offset := l.file.Size()
	if err := l.file.Append(l.frames...); err != nil {
		return err
	}

	// Indexed only once written: readers find records by the index alone, so one
	// whose write failed is never read.
	s := l.segments[len(l.segments)-1]
	for i, r := range records {
		end := offset + journal.FrameSize(len(l.frames[i]))
		s.add(r, offset, end)
		offset = end
	}

	if cap(l.payload) > 1<<20 {
		l.payload, l.frames = nil, nil
	}

	return nil
}

// from returns what to read for the records from seq on: a part of one segment.
func (l *log) from(seq uint64) (span, bool) {
	for _, s := range l.segments {
		if s.Count > 0 && s.Last.Seq >= seq {
			at := s.before(func(m indexEntry) bool { return m.Seq <= seq })
			return span{s.path, at.Offset, s.Size, s.Last.Seq}, true
		}
	}
	return span{}, false
}

// since returns a sequence number from which on to look for the first record that
// arrived at ms or later; false: none did.
func (l *log) since(ms int64) (seq uint64, ok bool) {
	for _, s := range l.segments {
		if s.Count > 0 && s.Last.Arrived >= ms {
			return s.before(func(m indexEntry) bool { return m.Arrived < ms }).Seq, true
		}
	}
	return 0, false
}

func (l *log) size() (n int64) {
	for _, s := range l.segments {
		n += s.Size
	}
	return n
}

// oldest returns when the oldest record arrived, and whether its segment can be
// dropped.
func (l *log) oldest() (ms int64, ok bool) {
	if len(l.segments) < 2 || l.segments[0].Count == 0 {
		return 0, len(l.segments) > 1
	}
	return l.segments[0].Entries[0].Arrived, true
}

// drop drops the oldest segment and returns how many bytes it had.
func (l *log) drop() (int64, error) {
	s := l.segments[0]
	l.segments = l.segments[1:]
	return s.Size, s.remove()
}

// dropBefore drops whole segments whose newest record arrived before ms; the
// last one stays.
func (l *log) dropBefore(ms int64) error {
	for len(l.segments) > 1 && l.segments[0].Last.Arrived < ms {
		if _, err := l.drop(); err != nil {
			return err
		}
	}
	return nil
}

func (l *log) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
