package kinesis

import (
	"errors"
	"io/fs"

	"tandem/services/emulator/wire"
)

// where is how far a scan came.
type where struct {
	next    uint64 // nothing that was not given lies below
	stopped bool   // by each, before the tip
	ended   bool   // the shard is closed, and all of it was given
}

// scan calls each for the shard's records from seq on, until it says stop or
// the tip is reached. Files are read without the lock: puts go on, and what
// retention drops meanwhile is passed over. A record is valid until each
// returns.
func (s *Service) scan(sh *shard, seq uint64, each func(record) (more bool)) (where, error) {
	b, _ := s.readers.Get().(*buffers)
	defer s.keep(b)
	missing := ""
	for {
		p, w := sh.from(seq)
		if p.path == "" {
			return w, nil
		}
		stopped, err := p.read(b, func(r record) bool {
			if r.seq < seq {
				return true
			}
			if !each(r) {
				return false
			}
			seq = r.seq + 1
			return true
		})
		switch {
		case errors.Is(err, fs.ErrNotExist) && p.path != missing:
			missing = p.path // dropped since from looked; were it lost, it would come again
			continue
		case err != nil:
			return where{}, err
		case stopped:
			return where{next: seq, stopped: true}, nil
		}
		seq = max(seq, p.last+1)
	}
}

// from gives the part of a segment to read next, or the end of the shard.
func (sh *shard) from(seq uint64) (span, where) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if p, ok := sh.log.from(seq); ok {
		return p, where{}
	}
	return span{}, where{next: max(seq, sh.tipLocked()), ended: sh.closed != 0}
}

// firstSince gives the first sequence that arrived at ms or later, or the tip.
func (s *Service) firstSince(sh *shard, ms int64) (uint64, error) {
	found := uint64(0)
	w, err := s.scan(sh, sh.since(ms), func(r record) bool {
		found = r.seq
		return r.arrived < ms
	})
	if err != nil || !w.stopped {
		return w.next, err
	}
	return found, nil
}

func (sh *shard) since(ms int64) uint64 {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if seq, ok := sh.log.since(ms); ok {
		return seq
	}
	return sh.tipLocked()
}

func (s *Service) keep(b *buffers) {
	b.r.Reset(nil)
	if cap(b.frame) <= 1<<20 {
		s.readers.Put(b)
	}
}

// raw makes an answer in a buffer that is used again.
func (s *Service) raw(write func([]byte) []byte) wire.Raw {
	p, _ := s.answers.Get().(*[]byte)
	*p = write((*p)[:0])
	return wire.Raw{JSON: *p, Release: func() {
		if cap(*p) <= 4<<20 {
			s.answers.Put(p)
		}
	}}
}

// batch collects records as JSON.
type batch struct {
	json       []byte // of an array, without its brackets
	encryption string
	horizon    int64 // ms: what arrived before is passed over
	most, size int
	count      int
	waiting    int64  // ms: when the first record that found no room arrived
	last       uint64 // sequence of the last record
}

// add takes a record, if there is room. The first always has.
func (b *batch) add(r record, bytes int) (more bool) {
	if r.arrived < b.horizon {
		return true
	}
	if b.count == b.most || b.count > 0 && b.size+r.size() > bytes {
		b.waiting = r.arrived
		return false
	}
	if b.count > 0 {
		b.json = append(b.json, ',')
	}
	b.json = r.appendJSON(b.json, b.encryption)
	b.count++
	b.size += r.size()
	b.last = r.seq
	return true
}

// behind is how long the first record that found no room waits.
func (b *batch) behind(w where, nowMS int64) int64 {
	if !w.stopped {
		return 0
	}
	return max(1, nowMS-b.waiting)
}
