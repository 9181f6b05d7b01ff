package kinesis

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"tandem/emulator/wire"
)

type getIn struct {
	ShardIterator string
	Limit         *int
}

func (s *Service) getRecords(_ context.Context, in getIn) (wire.Raw, error) {
	limit := maxGetRecords
	if in.Limit != nil {
		limit = *in.Limit
	}
	if limit < 1 || limit > maxGetRecords {
		return wire.Raw{}, wire.Bad("InvalidArgumentException", "Limit must be between 1 and %d.", maxGetRecords)
	}

	c, err := parseCursor(in.ShardIterator)
	if err != nil {
		return wire.Raw{}, err
	}

	now := s.o.Now()
	if now.UnixMilli()-c.Issued > s.o.IteratorLife.Milliseconds() {
		return wire.Raw{}, wire.Bad("ExpiredIteratorException", "Iterator expired. The iterator was created at time %s while right now it is %s, which is further in the future than the tolerated delay of %d milliseconds.",
			time.UnixMilli(c.Issued).UTC().Format(time.ANSIC), now.UTC().Format(time.ANSIC), s.o.IteratorLife.Milliseconds())
	}

	info, sh, err := s.beginRead(c, now)
	if err != nil {
		return wire.Raw{}, err
	}

	b := batch{encryption: info.encryption(), horizon: info.horizon(now.UnixMilli()), most: limit}
	var w scanResult

	out := s.raw(func(dst []byte) []byte {
		b.json = append(dst, `{"Records":[`...)
		w, err = s.scan(sh, c.Seq, func(r record) bool { return b.add(r, maxGetBytes) })
		b.json = append(b.json, ']')
		b.json = strconv.AppendInt(append(b.json, `,"MillisBehindLatest":`...), b.millisBehind(w, now.UnixMilli()), 10)
		if w.ended { // no next iterator
			b.json = append(append(b.json, `,"ChildShards":`...), sh.children()...)
		} else {
			c.Seq, c.Issued = w.next, now.UnixMilli()
			b.json = append(append(append(b.json, `,"NextShardIterator":"`...), c.text()...), '"')
		}
		return append(b.json, '}')
	})

	if err != nil {
		out.Release()
		return wire.Raw{}, fmt.Errorf("read %s of %s: %w", sh.id, info.Name, err)
	}

	// Charged when the bytes are known, after the call: it is the next one that
	// pays.
	sh.didRead(now, &b)
	return out, nil
}

// beginRead finds what a cursor names and counts the call.
func (s *Service) beginRead(c cursor, now time.Time) (*streamInfo, *shard, error) {
	st, done, err := s.acquire(target{StreamName: c.Stream})
	if err != nil {
		return nil, nil, err
	}
	defer done()

	sh, err := st.shard(c.Shard)
	if err != nil {
		return nil, nil, err
	}
	// A stream that was deleted and recreated under its name is another one.
	if st.info.Created != c.Created {
		return nil, nil, noStream(fmt.Sprintf("%s created at %d", c.Stream, c.Created))
	}

	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s.o.Limits && !sh.limits.mayRead(now) {
		sh.meter.add(now, counts{readThrottles: 1})
		return nil, nil, wire.Bad(throttled, "Rate exceeded for shard %s in stream %s under account %s.", sh.id, st.info.Name, account)
	}

	return st.info, sh, nil
}

func (sh *shard) didRead(now time.Time, b *batch) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.limits.didRead(now, b.size)
	sh.meter.add(now, counts{outRecords: int64(b.count), outBytes: int64(b.size)})
}

// scanResult is how far a scan has come.
type scanResult struct {
	next    uint64 // all records below were passed to each
	stopped bool   // by each, before the tip
	ended   bool   // the shard is closed, and all of it was read
}

// scan calls each for the shard's records from seq on, until it says stop or
// the tip is reached. Files are read without the lock: puts go on, and what
// retention drops meanwhile is passed over. A record is valid until each
// returns.
func (s *Service) scan(sh *shard, seq uint64, each func(record) (more bool)) (scanResult, error) {
	b, _ := s.readers.Get().(*buffers)
	defer s.releaseBuffers(b)

	missing := ""
	for {
		p, w := sh.from(seq)
		if p.path == "" {
			return w, nil
		}

		stopped, err := p.read(b, func(r record) bool {
			// The index is sparse: a span begins at or before the record that
			// was asked for.
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
			// Retention dropped the file since the index named it: ask again. An
			// index that names it a second time is wrong.
			missing = p.path
			continue
		case err != nil:
			return scanResult{}, err
		case stopped:
			return scanResult{next: seq, stopped: true}, nil
		}

		seq = max(seq, p.last+1)
	}
}

// from returns the part of a segment to read next, or the end of the shard.
func (sh *shard) from(seq uint64) (span, scanResult) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if p, ok := sh.log.from(seq); ok {
		return p, scanResult{}
	}
	return span{}, scanResult{next: max(seq, sh.tipLocked()), ended: sh.closed != 0}
}

// firstSince returns the first sequence number that arrived at ms or later, or
// the tip.
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

func (s *Service) releaseBuffers(b *buffers) {
	b.r.Reset(nil)
	if cap(b.frame) <= 1<<20 { // or one large record would be held for ever
		s.readers.Put(b)
	}
}

// raw returns an answer that is written into a pooled buffer.
func (s *Service) raw(write func([]byte) []byte) wire.Raw {
	p, _ := s.answers.Get().(*[]byte)
	*p = write((*p)[:0])
	return wire.Raw{JSON: *p, Release: func() {
		if cap(*p) <= 4<<20 { // or one large answer would be held for ever
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
	arrived    int64 // ms: of the last record
}

// add adds a record if there is room, and reports whether to go on. The first
// record always has room.
func (b *batch) add(r record, bytes int) (more bool) {
	if r.arrived < b.horizon {
		return true
	}

	if b.count == b.most || b.count > 0 && b.size+r.size() > bytes {
		return false
	}

	if b.count > 0 {
		b.json = append(b.json, ',')
	}
	b.json = r.appendJSON(b.json, b.encryption)

	b.count++
	b.size += r.size()
	b.arrived = r.arrived
	return true
}

// millisBehind returns how far the last record that was read is from the tip: for
// how long it has been there, as there are more behind it. It is 0 at the tip.
func (b *batch) millisBehind(w scanResult, nowMS int64) int64 {
	if !w.stopped {
		return 0
	}
	return max(1, nowMS-b.arrived)
}
