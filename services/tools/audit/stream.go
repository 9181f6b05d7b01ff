package audit

import (
	"cmp"
	"fmt"
	"slices"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardreader"
)

// streamView is what is on the stream, read once, and on which side of the
// readers' checkpoints it lies.
type streamView struct {
	history, heatmap map[string]shardreader.Position // by shard

	risen      map[string][]risen     // by driver: each first occurrence, rising
	latest     map[string]event.Point // by driver: the one that was taken last
	late       int64                  // first occurrences that history has passed and heatmap has not
	early      int64                  // and the other way round
	points     int64
	repeats    int64
	undecoded  int64
	outOfOrder []string
	sentSo     int64 // do not rise, but lie in the order in which location took them
}

// risen is a point's sequence, doubled, and 1 more where history has passed the point:
// all of the stream's are in memory, so each is eight bytes.
type risen int64

func (r risen) seq() int64 { return int64(r) >> 1 }

func (r risen) owed() bool { return r&1 == 1 }

// reached reports whether a reader with that checkpoint has passed at.
func reached(checkpoint map[string]shardreader.Position, at shardreader.Position) bool {
	c, ok := checkpoint[at.Shard]
	return ok && at.Compare(c) <= 0
}

func newStreamView(history, heatmap group) *streamView {
	return &streamView{
		history: history.positions(), heatmap: heatmap.positions(), risen: map[string][]risen{}, latest: map[string]event.Point{},
	}
}

// add takes the next record; a shard's come in order.
func (v *streamView) add(rec shardreader.Record) {
	p, err := event.DecodePoint(rec.Key, rec.Data)
	if err != nil {
		v.undecoded++
		return
	}
	v.points++

	// A point below its driver's newest is a repeat where the same sequence came
	// before: a producer's retry.
	before := v.risen[p.Driver]
	rises := len(before) == 0 || p.Seq > before[len(before)-1].seq()
	if !rises {
		if _, seen := slices.BinarySearchFunc(before, p.Seq, func(r risen, seq int64) int { return cmp.Compare(r.seq(), seq) }); seen {
			v.repeats++
			return
		}
	}

	// Otherwise it was sent so, if it was taken after all that lie before it; or it
	// was overtaken on its way, which no reader repairs.
	latest := v.latest[p.Driver]
	inOrder := latest.TakenBefore(p)
	if inOrder {
		v.latest[p.Driver] = p
	}
	if !rises {
		if inOrder && latest.Taken > 0 {
			v.sentSo++
		} else {
			v.outOfOrder = append(v.outOfOrder, fmt.Sprintf("%s: %d after %d at %s %s/%d", p.Driver, p.Seq, before[len(before)-1].seq(), rec.Shard, rec.Sequence, rec.Sub))
		}
		return
	}

	inHistory, inHeatmap := reached(v.history, rec.Position), reached(v.heatmap, rec.Position)
	r := risen(p.Seq << 1)
	if inHistory {
		r |= 1
	}
	v.risen[p.Driver] = append(before, r)
	switch {
	case inHistory && !inHeatmap:
		v.late++
	case inHeatmap && !inHistory:
		v.early++
	}
}
