package shardreader

import "time"

// ShardState is what a reader knows of a shard that it reads.
type ShardState struct {
	Position
	Behind    time.Duration
	PolledAt  time.Time // the last call that was answered, or event that came; zero: none yet
	FanOut    bool      // that was an event of a subscription
	AtTip     bool      // has been at the tip since reading of it began
	Closed    bool
	Throttled int   // calls that were throttled
	Err       error // why the last call failed; nil when it did not
}

// State returns what is known of every shard that was read, in no order.
func (r *Reader) State() []ShardState {
	r.mu.Lock()
	defer r.mu.Unlock()

	out := make([]ShardState, 0, len(r.shards))
	for _, s := range r.shards {
		out = append(out, *s)
	}
	return out
}

// CaughtUp reports whether All has been at the tip of every shard since it
// began, and the last call for each was answered.
func (r *Reader) CaughtUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()

	for _, s := range r.shards {
		if !s.Closed && (!s.AtTip || s.Err != nil) {
			return false
		}
	}
	return r.listed
}

func (r *Reader) update(shard string, f func(*ShardState)) {
	r.mu.Lock()
	defer r.mu.Unlock()

	s, ok := r.shards[shard]
	if !ok {
		s = &ShardState{Position: Position{Shard: shard}}
		r.shards[shard] = s
	}
	f(s)
}
