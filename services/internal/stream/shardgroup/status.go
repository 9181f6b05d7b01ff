package shardgroup

import (
	"slices"
	"strings"
	"time"
)

// Status is what a worker knows of its group.
type Status struct {
	Worker  string
	Shards  []ShardStatus // sorted; those of other workers, too
	Records int64         // that this worker applied
	Parked  int64         // records in dead_records that nobody has skipped and that did not come back, of the whole group
	Gaps    int64         // of the whole group
}

// ShardStatus is one shard. Sequence, PolledAt and Err are known for shards whose
// lease this worker holds, and Behind where Known says so.
type ShardStatus struct {
	Shard    string
	Worker   string // the lease's owner; empty: nobody
	Epoch    int64
	Sequence string
	Behind   time.Duration // climbs while nothing is applied or no poll is answered
	Known    bool          // whether Behind is; 0 is no answer where it is not
	PolledAt time.Time
	Err      error // why reading the shard fails
	Drained  bool
	Paused   bool // by a person; Behind climbs meanwhile
}

// Status returns the group as last seen.
func (g *Group) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()

	out := Status{Worker: g.o.Worker, Records: g.records.Load(), Parked: g.parked, Gaps: g.gaps}
	for _, l := range g.leases {
		if _, ours := g.readings[l.Shard]; !ours {
			one := ShardStatus{Shard: l.Shard, Epoch: l.Epoch, Drained: l.Completed, Paused: l.Paused}
			if l.Paused { // nobody reads it, so what is known is true for all
				one.Behind, one.Known = max(time.Since(l.known), 0), true
			}
			if l.Owner != g.o.Worker { // else ours until a moment ago
				one.Worker = l.Owner
			}
			out.Shards = append(out.Shards, one)
		}
	}
	for _, r := range g.readings {
		out.Shards = append(out.Shards, r.status())
	}

	slices.SortFunc(out.Shards, func(a, b ShardStatus) int { return strings.Compare(a.Shard, b.Shard) })
	return out
}

// reading returns the reading of a shard, or nil.
func (g *Group) reading(shard string) *reading {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.readings[shard]
}

// all returns every reading.
func (g *Group) all() []*reading {
	g.mu.Lock()
	defer g.mu.Unlock()

	out := make([]*reading, 0, len(g.readings))
	for _, r := range g.readings {
		out = append(out, r)
	}
	return out
}
