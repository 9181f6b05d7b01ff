package shardreader

import (
	"errors"
	"slices"
	"time"
)

// clockSkew is how far this machine's clock may be ahead of the stream's: so long after
// an end that is a time a shard must be at its tip until nothing from before can come.
const clockSkew = 5 * time.Second

// errEnded is what drain returns for a shard that was read to the end that Start sets.
var errEnded = errors.New("read to its end")

// Until returns s with an end: of each shard the records up to the first one that
// arrived at t or later are read, without that one. It is where At(t) begins, so that
// reading a span and then the next one reads each record once, also where arrival
// stamps do not rise. t may lie in the future. A shard that is quiet has ended once it is
// at the tip 5 s after t, by this machine's clock; by fan-out that is perhaps seen only
// when the next subscription begins, after 5 minutes. Shard and All return nil at the end.
func (s Start) Until(t time.Time) Start {
	s.until, s.bounded = t, true
	return s
}

// Through returns s with an end: each shard is read up to its own position, with that
// record, and a shard without one is not read at all. Of several positions of one
// shard the last one named counts; one whose Sequence is empty counts as none. Shard and
// All return nil at the end, also where the records before it are no longer kept. A
// position is of a record that has arrived: a shard that is at its tip has ended.
func (s Start) Through(positions ...Position) Start {
	s.through, s.bounded = After(positions...).after, true
	return s
}

// wants reports whether anything of a shard may lie before the end.
func (s Start) wants(shard string) bool {
	_, ok := s.through[shard]
	return ok || s.through == nil
}

// cut returns the part of b that lies before the end, and whether the end is there.
func (s *session) cut(b Batch) (Batch, bool) {
	if !s.start.bounded {
		return b, false
	}

	end := s.start.through[s.shard]
	past := func(r Record) bool { return r.Compare(end) > 0 }
	// At the tip nothing is left of what was in the stream when the end was named.
	there := b.Behind == 0 || b.Next.Compare(end) >= 0
	if s.start.through == nil {
		past = func(r Record) bool { return !r.Arrived.Before(s.start.until) }
		there = b.Behind == 0 && !b.AsOf.Before(s.start.until.Add(clockSkew))
	}

	i := slices.IndexFunc(b.Records, past)
	if i < 0 {
		return b, there && !b.Closed
	}
	b.Records, b.Closed, b.Next = b.Records[:i], false, s.next
	b.Behind = max(b.Behind, time.Millisecond) // not at the tip: what was cut off follows
	if i > 0 {
		b.Next = b.Records[i-1].Position
	}
	return b, true
}
