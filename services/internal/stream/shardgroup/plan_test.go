package shardgroup_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/internal/stream/shardgroup"
)

// world is a group as its database sees it.
type world struct {
	now     time.Time
	shards  []shardgroup.Shard
	leases  map[string]shardgroup.Lease
	workers []shardgroup.Worker
}

func (w *world) list() []shardgroup.Lease {
	var out []shardgroup.Lease
	for _, l := range w.leases {
		out = append(out, l)
	}
	return out
}

// step carries a plan out as the workers and the database would.
func (w *world) step(moves []shardgroup.Move) {
	for _, m := range moves {
		l := w.leases[m.Shard]
		if l.Epoch != m.Epoch {
			continue
		}
		l.Shard, l.Owner = m.Shard, m.To
		if m.To != "" {
			l.Epoch++
			l.ExpiresAt = w.now.Add(time.Minute)
		}
		w.leases[m.Shard] = l
	}
}

func draw(t *rapid.T) *world {
	w := &world{now: time.Unix(1000, 0), leases: map[string]shardgroup.Lease{}}
	for i := range rapid.IntRange(0, 6).Draw(t, "workers") {
		dead := rapid.IntRange(0, 3).Draw(t, "dead") == 0
		wk := shardgroup.Worker{ID: fmt.Sprint("w", i), ExpiresAt: w.now.Add(time.Second)}
		if dead {
			wk.ExpiresAt = w.now
		}
		w.workers = append(w.workers, wk)
	}

	for i := range rapid.IntRange(0, 12).Draw(t, "shards") {
		s := shardgroup.Shard{ID: fmt.Sprintf("s%02d", i)}
		if i > 0 && rapid.Bool().Draw(t, "child") {
			s.Parents = append(s.Parents, fmt.Sprintf("s%02d", rapid.IntRange(0, i-1).Draw(t, "parent")))
		}
		w.shards = append(w.shards, s)
		if rapid.Bool().Draw(t, "leased") {
			w.leases[s.ID] = shardgroup.Lease{
				Shard: s.ID, Owner: rapid.SampledFrom([]string{"", "w0", "w1", "w2", "gone"}).Draw(t, "owner"),
				Epoch:     rapid.Int64Range(0, 9).Draw(t, "epoch"),
				ExpiresAt: w.now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "left")) * time.Second),
				Completed: rapid.IntRange(0, 2).Draw(t, "completed") == 0,
			}
		}
	}
	return w
}

func TestPlanHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)

		moves := shardgroup.Plan(w.now, w.shards, w.list(), w.workers)

		seen := map[string]bool{}
		for _, m := range moves {
			require.False(t, seen[m.Shard], "one move a shard")
			seen[m.Shard] = true
			l := w.leases[m.Shard]
			require.False(t, l.Completed, "a drained shard is never moved")
			held := l.Owner != "" && l.ExpiresAt.After(w.now)
			if m.To != "" {
				require.False(t, held, "a held lease is never taken")
			} else {
				require.True(t, held && l.Owner == m.From, "only its owner releases a lease")
			}
			require.True(t, readable(w, m.Shard), "what it came from first")
		}
	})
}

func TestPlanConvergesToBalanceWithMinimalMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		live := 0
		for _, wk := range w.workers {
			if wk.ExpiresAt.After(w.now) {
				live++
			}
		}

		moves := 0
		for range 3 {
			plan := shardgroup.Plan(w.now, w.shards, w.list(), w.workers)
			moves += len(plan)
			w.step(plan)
		}

		require.Empty(t, shardgroup.Plan(w.now, w.shards, w.list(), w.workers), "settled after three rounds")
		require.LessOrEqual(t, moves, 2*len(w.shards), "at most one release and one acquisition for each shard")
		if live == 0 {
			return
		}

		load := map[string]int{}
		for _, wk := range w.workers {
			if wk.ExpiresAt.After(w.now) {
				load[wk.ID] = 0
			}
		}
		for _, l := range w.leases {
			if _, ok := load[l.Owner]; ok && !l.Completed && l.ExpiresAt.After(w.now) && readable(w, l.Shard) {
				load[l.Owner]++
			}
		}

		var loads []int
		for _, n := range load {
			loads = append(loads, n)
		}
		require.LessOrEqual(t, slices.Max(loads)-slices.Min(loads), 1, "balanced")
	})
}

// readable reports whether all that a shard came from is drained.
func readable(w *world, shard string) bool {
	i := slices.IndexFunc(w.shards, func(s shardgroup.Shard) bool { return s.ID == shard })
	return !slices.ContainsFunc(w.shards[i].Parents, func(p string) bool { return !w.leases[p].Completed || !readable(w, p) })
}

func TestPlanLeavesASettledGroupAlone(t *testing.T) {
	now := time.Unix(1000, 0)
	workers := []shardgroup.Worker{{ID: "a", ExpiresAt: now.Add(1)}, {ID: "b", ExpiresAt: now.Add(1)}}
	shards := []shardgroup.Shard{{ID: "1"}, {ID: "2"}, {ID: "3"}}
	leases := []shardgroup.Lease{
		{Shard: "1", Owner: "b", ExpiresAt: now.Add(1)}, {Shard: "2", Owner: "b", ExpiresAt: now.Add(1)}, {Shard: "3", Owner: "a", ExpiresAt: now.Add(1)},
	}

	require.Empty(t, shardgroup.Plan(now, shards, leases, workers))
	require.Empty(t, shardgroup.Plan(now, shards, leases, nil))
	leases[2].Owner = "b"
	require.Equal(t, []shardgroup.Move{{Shard: "3", From: "b"}}, shardgroup.Plan(now, shards, leases, workers))
}
