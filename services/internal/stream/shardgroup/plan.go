package shardgroup

import (
	"cmp"
	"slices"
	"time"
)

// Shard is a shard that the group reads and what it came from.
type Shard struct {
	ID      string
	Parents []string
}

// Lease says whose a shard is.
type Lease struct {
	Shard     string
	Owner     string // empty: nobody's
	Epoch     int64  // rises with every new owner
	ExpiresAt time.Time
	Completed bool // the shard is closed and drained
}

func (l Lease) held(now time.Time) bool { return l.Owner != "" && l.ExpiresAt.After(now) }

// Worker is one process of the group.
type Worker struct {
	ID        string
	ExpiresAt time.Time
}

// Move is one change of owner. To is the worker that should take a shard which
// nobody holds; an empty To asks From, which holds it, to give it back.
type Move struct {
	Shard    string
	From, To string
	Epoch    int64 // the lease's epoch that the move was planned on
}

// Plan says what should change so that every shard which may be read is held
// and no live worker holds two more than another. It is pure, and the same for
// every worker that sees the same; a worker carries out the moves that name it.
//
// A shard may be read once its parents are completed or no longer kept. A
// lease that has not expired is never moved over its owner's head: its owner
// gives it back first. Nothing is moved that need not be.
func Plan(now time.Time, shards []Shard, leases []Lease, workers []Worker) []Move {
	load := map[string]int{} // live workers
	for _, w := range workers {
		if w.ExpiresAt.After(now) {
			load[w.ID] = 0
		}
	}
	if len(load) == 0 {
		return nil
	}
	byShard := map[string]Lease{}
	for _, l := range leases {
		byShard[l.Shard] = l
	}
	held := map[string][]Lease{}
	var free []Lease
	for _, s := range readable(shards, byShard) {
		switch l := byShard[s]; {
		case !l.held(now):
			l.Shard = s
			free = append(free, l)
		default:
			held[l.Owner] = append(held[l.Owner], l)
			if _, live := load[l.Owner]; live {
				load[l.Owner]++
			}
		}
	}
	var moves []Move
	for _, l := range free {
		to, _ := extremes(load)
		load[to]++
		moves = append(moves, Move{Shard: l.Shard, To: to, Epoch: l.Epoch})
	}
	for {
		least, most := extremes(load)
		if load[most]-load[least] < 2 || len(held[most]) == 0 {
			return moves
		}
		last := len(held[most]) - 1
		l := held[most][last]
		held[most] = held[most][:last]
		load[most]--
		load[least]++
		moves = append(moves, Move{Shard: l.Shard, From: most, Epoch: l.Epoch})
	}
}

// readable gives the shards that are not drained and whose parents are, sorted.
func readable(shards []Shard, leases map[string]Lease) []string {
	known := map[string]bool{}
	for _, s := range shards {
		known[s.ID] = true
	}
	var out []string
	for _, s := range shards {
		waits := slices.ContainsFunc(s.Parents, func(p string) bool { return known[p] && !leases[p].Completed })
		if !leases[s.ID].Completed && !waits {
			out = append(out, s.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// extremes gives the workers with the least and the most to do; of equals the
// first and the last by name.
func extremes(load map[string]int) (least, most string) {
	ids := make([]string, 0, len(load))
	for id := range load {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(load[a], load[b]), cmp.Compare(a, b)) })
	return ids[0], ids[len(ids)-1]
}
