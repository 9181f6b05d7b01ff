package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
)

// Options configures a Table.
type Options struct {
	On bool
	// Operations are the operations of each service that rules may name.
	Operations map[string][]string
	// StreamOf returns the stream of a shard iterator; "" of what is no iterator.
	StreamOf func(iterator string) string
}

// Table is the rules. It is safe for concurrent use.
type Table struct {
	o     Options
	mu    sync.Mutex
	rules []*entry
}

// entry is one rule with its hits.
type entry struct {
	Rule
	Hits int `json:"hits"`
	rng  *rand.Rand
}

// New returns a Table without rules.
func New(o Options) *Table { return &Table{o: o} }

// add adds rules to the others, or replaces the others by them.
func (t *Table) add(rules []Rule, instead bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := slices.Clone(t.rules)
	if instead {
		next = nil
	}

	if len(next)+len(rules) > maxRules {
		return fmt.Errorf("there can be %d rules, not %d", maxRules, len(next)+len(rules))
	}

	for _, r := range rules {
		next = append(next, &entry{Rule: r, rng: rand.New(rand.NewPCG(r.Seed, 0))})
	}
	t.rules = next
	return nil
}

// show returns copies of the rules with their hits.
func (t *Table) show() []entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]entry, len(t.rules))
	for i, e := range t.rules {
		out[i] = *e
	}
	return out
}

func (t *Table) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rules) == 0
}

// hit is a rule that hit a request, and the seed of a shuffle.
type hit struct {
	Rule
	seed uint64
}

// draw draws from the generators of the rules that match a request, and returns
// those that hit it: latencies, and at most one other.
func (t *Table) draw(c call) (hits []hit) {
	t.mu.Lock()
	defer t.mu.Unlock()

	for _, e := range t.rules {
		// A rule draws only for requests that it matches and while it may still hit, so
		// that other requests don't change what it does.
		if e.matches(c) && (e.Count == 0 || e.Hits < e.Count) && (e.Probability == nil || e.rng.Float64() < *e.Probability) {
			e.Hits++
			hits = append(hits, hit{e.Rule, e.rng.Uint64()})
			if e.Kind != kindLatency {
				return hits
			}
		}
	}
	return hits
}
