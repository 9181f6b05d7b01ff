package console

import (
	"maps"
	"slices"
	"time"

	"tandem/services/domain/points"
)

// readings remembers how far each reader was known to have read each shard, so that
// one that has ended, or says nothing, falls behind instead of to zero; and how
// many points were put, so that what is unread can be counted. It is used by one
// goroutine at a time.
type readings struct {
	through  map[string]map[string]time.Time // by reader, then by shard: what arrived before is applied
	arrivals arrivals
}

func newReadings() readings {
	return readings{through: map[string]map[string]time.Time{}, arrivals: arrivals{}}
}

// judge notes what the readers and location have said, and sets each reader's Lag.
func (r *readings) judge(o *Overview) {
	for _, s := range o.Shards {
		if s.HeardAt != nil {
			r.arrivals.note(s.Shard, *s.HeardAt, s.Points)
		}
	}

	// First all of a group's processes: what one does not read another may.
	reads := map[string]map[string]bool{}
	for _, reader := range o.Readers {
		r.note(reader, reads)
	}
	for i := range o.Readers {
		reader := &o.Readers[i]
		reader.Lag = r.lag(*reader, o.At, reads[readerKey(*reader)])
	}
}

// readerKey is whose shards a process reads: a group's share them among them; of a
// live reader each reads all.
func readerKey(r Reader) string {
	switch kind := kindOf(r.Reader); kind {
	case "mapfeed", "nearby":
		return r.Reader
	default:
		return kind
	}
}

// note remembers how far a reader says that it has read, and in reads which shards
// it reads.
func (r *readings) note(reader Reader, reads map[string]map[string]bool) {
	key := readerKey(reader)
	if r.through[key] == nil {
		r.through[key] = map[string]time.Time{}
	}
	if reads[key] == nil {
		reads[key] = map[string]bool{}
	}
	if reader.ReaderState == nil {
		return
	}

	// Shards that are not listed any more are nobody's to read.
	if len(reader.Shards) > 0 {
		maps.DeleteFunc(r.through[key], func(shard string, _ time.Time) bool {
			return !slices.ContainsFunc(reader.Shards, func(s points.ShardDetail) bool { return s.Shard == shard })
		})
	}

	for _, s := range reader.Shards {
		switch {
		case s.Drained:
			delete(r.through[key], s.Shard)
		case s.BehindMS == nil:
			if _, known := r.through[key][s.Shard]; !known {
				r.through[key][s.Shard] = time.Time{}
			}
		default:
			r.through[key][s.Shard] = later(r.through[key][s.Shard], reader.HeardAt.Add(-milliseconds(*s.BehindMS)))
			reads[key][s.Shard] = reads[key][s.Shard] || reader.OK
		}
	}
}

// lag returns how far a reader is behind at now, counting what nobody reads as
// unread since it was known to be read.
func (r *readings) lag(reader Reader, now time.Time, reads map[string]bool) Lag {
	own := ownShards(reader)
	out := Lag{NotRead: []string{}, StreamAt: streamAt(own)}
	shards := r.through[readerKey(reader)]
	if len(shards) == 0 {
		return out // it has never said
	}

	var behind, unread int64
	behindKnown, unreadKnown := true, true
	for _, shard := range slices.Sorted(maps.Keys(shards)) {
		if !reads[shard] {
			out.NotRead = append(out.NotRead, shard)
		}

		through := shards[shard]
		late := now.Sub(through).Milliseconds()
		switch mine := own[shard].BehindMS; {
		case reader.OK && mine != nil:
			late = *mine // as it says now; else all that arrived since
		case reads[shard]:
			continue // another process's, whose row has it
		case through.IsZero():
			behindKnown, unreadKnown = false, false
			continue
		}

		behind = max(behind, late)
		if late > 0 {
			n, known := r.arrivals.since(shard, through)
			unread, unreadKnown = unread+n, unreadKnown && known
		}
	}

	if behindKnown {
		out.BehindMS = &behind
	}
	if unreadKnown {
		out.Unread = &unread
	}
	return out
}

func ownShards(r Reader) map[string]points.ShardDetail {
	own := map[string]points.ShardDetail{}
	if r.ReaderState != nil {
		for _, s := range r.Shards {
			own[s.Shard] = s
		}
	}
	return own
}

// streamAt returns when the stream answered for the shard that it did not answer for
// longest, of those that are not read to their end.
func streamAt(own map[string]points.ShardDetail) *time.Time {
	var first time.Time
	for _, s := range own {
		at := time.UnixMilli(s.HeardAt)
		if s.HeardAt > 0 && !s.Drained && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return orNil(first)
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
