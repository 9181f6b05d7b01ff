package shardgroup

import (
	"slices"
	"strings"
	"time"
)

// Status is what a worker knows of its group.
type Status struct {
	Worker  string
	Shards  []ShardStatus // sorted; those that others hold, too
	Records int64         // that this worker applied
	Parked  int64         // records in dead_records, of the whole group
	Gaps    int64         // of the whole group
}

// ShardStatus is one shard. Sequence, Behind, PolledAt and Err are known for
// shards that this worker holds.
type ShardStatus struct {
	Shard    string
	Worker   string // who holds it; empty: nobody
	Epoch    int64
	Sequence string
	Behind   time.Duration
	PolledAt time.Time
	Err      error // why the shard stands still
	Drained  bool
}

// Status tells of the group as last seen.
func (g *Group) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := Status{Worker: g.o.Worker, Records: g.records.Load(), Parked: g.parked, Gaps: g.gaps}
	for _, s := range g.leases {
		if _, ours := g.held[s.Shard]; !ours {
			one := ShardStatus{Shard: s.Shard, Epoch: s.Epoch, Drained: s.Completed}
			if s.Owner != g.o.Worker { // ours until a moment ago
				one.Worker = s.Owner
			}
			out.Shards = append(out.Shards, one)
		}
	}
	for _, l := range g.held {
		l.mu.Lock()
		out.Shards = append(out.Shards, ShardStatus{
			Shard: l.shard, Worker: g.o.Worker, Epoch: l.epoch, Sequence: l.at.Sequence,
			Behind: l.behind, PolledAt: l.polled, Err: l.failing,
		})
		l.mu.Unlock()
	}
	slices.SortFunc(out.Shards, func(a, b ShardStatus) int { return strings.Compare(a.Shard, b.Shard) })
	return out
}

func (g *Group) lease(shard string) *lease {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held[shard]
}

func (g *Group) holdings() []*lease {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]*lease, 0, len(g.held))
	for _, l := range g.held {
		out = append(out, l)
	}
	return out
}
