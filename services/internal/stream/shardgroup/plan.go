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

// Lease is one worker's right to read one shard.
type Lease struct {
	Shard     string
	Owner     string // empty: nobody's
	Epoch     int64  // rises with every new owner
	ExpiresAt time.Time
	Completed bool // the shard is closed and drained
	Paused    bool // by a person: nobody is to read the shard

	known time.Time // what arrived before is applied
}

// held reports whether the lease is an owner's that has not expired.
func (l Lease) held(now time.Time) bool { return l.Owner != "" && l.ExpiresAt.After(now) }

// Worker is one process of the group.
type Worker struct {
	ID        string
	ExpiresAt time.Time
}

// Move is one change of owner. To is the worker that should acquire a lease
// which nobody holds; an empty To asks From, which holds it, to release it.
type Move struct {
	Shard    string
	From, To string
	Epoch    int64 // the lease's epoch that the move was planned on
}

// Plan returns what should change so that every shard which may be read is held
// and no live worker holds two more than another. It is pure, and the same for
// every worker that sees the same; a worker carries out the moves that name it.
//
// A shard may be read once all that it came from is completed or no longer kept, and
// unless it is paused. A lease that has not expired is never moved over its owner's head:
// its owner releases it first. Nothing is moved that need not be.
func Plan(now time.Time, shards []Shard, leases []Lease, workers []Worker) []Move {
	load := map[string]int{} // how many shards each live worker holds
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

	// A worker whose heartbeat has expired may still hold leases: until they expire
	// too, they are not free, and they count for nobody.
	byOwner := map[string][]Lease{}
	var free []Lease
	for _, s := range readable(shards, byShard) {
		l := byShard[s]
		if !l.held(now) {
			l.Shard = s
			free = append(free, l)
			continue
		}
		byOwner[l.Owner] = append(byOwner[l.Owner], l)
		if _, live := load[l.Owner]; live {
			load[l.Owner]++
		}
	}

	// Free shards first, each to whoever has the least to do.
	var moves []Move
	for _, l := range free {
		to, _ := extremes(load)
		load[to]++
		moves = append(moves, Move{Shard: l.Shard, To: to, Epoch: l.Epoch})
	}

	// Then balance. A difference of one stays: a move would only swap the two workers.
	for {
		least, most := extremes(load)
		if load[most]-load[least] < 2 || len(byOwner[most]) == 0 {
			return moves
		}
		last := len(byOwner[most]) - 1
		l := byOwner[most][last]
		byOwner[most] = byOwner[most][:last]
		load[most]--
		load[least]++
		moves = append(moves, Move{Shard: l.Shard, From: most, Epoch: l.Epoch})
	}
}

// readable returns the shards that are neither drained nor paused and of which all that
// they came from is drained, sorted. A drained shard may be sent back, and then waits before
// its children and theirs.
func readable(shards []Shard, leases map[string]Lease) []string {
	parents := make(map[string][]string, len(shards))
	for _, s := range shards {
		parents[s.ID] = s.Parents
	}

	waiting := map[string]bool{} // what is found once: after splits and merges many ways lead to a shard
	var waits func(shard string) bool
	waits = func(shard string) bool {
		if _, found := waiting[shard]; !found {
			waiting[shard] = false // no lineage leads back to a shard; if one did, this would end
			waiting[shard] = slices.ContainsFunc(parents[shard], func(p string) bool {
				_, kept := parents[p]
				return kept && (!leases[p].Completed || waits(p))
			})
		}
		return waiting[shard]
	}

	var out []string
	for _, s := range shards {
		if !leases[s.ID].Completed && !leases[s.ID].Paused && !waits(s.ID) {
			out = append(out, s.ID)
		}
	}

	// Sorted, so that workers which list shards in another order plan the same.
	slices.Sort(out)
	return slices.Compact(out)
}

// extremes returns the workers with the least and the most to do; of equals the
// first and the last by ID.
func extremes(load map[string]int) (least, most string) {
	ids := make([]string, 0, len(load))
	for id := range load {
		ids = append(ids, id)
	}

	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(load[a], load[b]), cmp.Compare(a, b)) })
	return ids[0], ids[len(ids)-1]
}
