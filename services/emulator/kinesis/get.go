package kinesis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tandem/services/emulator/wire"
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
	var w where
	out := s.raw(func(dst []byte) []byte {
		b.json = append(dst, `{"Records":[`...)
		w, err = s.scan(sh, c.Seq, func(r record) bool { return b.add(r, maxGetBytes) })
		b.json = append(b.json, ']')
		b.json = strconv.AppendInt(append(b.json, `,"MillisBehindLatest":`...), b.behind(w, now.UnixMilli()), 10)
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
	sh.didRead(now, &b)
	return out, nil
}

// beginRead finds what a cursor names and counts the call.
func (s *Service) beginRead(c cursor, now time.Time) (*streamInfo, *shard, error) {
	st, done, err := s.use(target{StreamName: c.Stream})
	if err != nil {
		return nil, nil, err
	}
	defer done()
	sh, err := st.shard(c.Shard)
	if err != nil {
		return nil, nil, err
	}
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
