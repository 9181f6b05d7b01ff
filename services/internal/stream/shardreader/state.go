package shardreader

import "time"

// ShardState is what a reader knows of a shard that it reads.
type ShardState struct {
	Position
	Behind    time.Duration // as last answered; with the time since, where no answer has come or been handled for long
	Known     bool          // whether Behind is: an answer has come; 0 is no answer where it is not
	PolledAt  time.Time     // the last call that was answered, or event that came; zero: none yet
	Through   time.Time     // what arrived until then was read, as of PolledAt
	FanOut    bool          // that was an event of a subscription
	AtTip     bool          // has been at the tip since reading of it began
	Closed    bool
	Ended     bool  // was read to the end that Start sets
	Throttled int   // calls that were throttled
	Err       error // why the last call failed; nil when it did not

	// Waiting is how many user records have arrived and are not handled yet, as of the
	// last answer. Kinesis counts none, so Counted says whether it is known: once an
	// answer reaches the tip, what it brought is all there is.
	Waiting int
	Counted bool

	began   time.Time // when reading of it began
	counted time.Time // when all that waited was in one answer; zero: it was not
}

// State returns what is known of every shard that was read, in no order.
func (r *Reader) State() []ShardState {
	r.mu.Lock()
	defer r.mu.Unlock()

	out := make([]ShardState, 0, len(r.shards))
	for _, s := range r.shards {
		one := *s
		now := time.Now()
		one.Behind, one.Known, one.Through = r.lag(s, now), !s.PolledAt.IsZero(), s.PolledAt.Add(-s.Behind)
		if one.Counted = s.Closed || !s.counted.IsZero() && s.Err == nil && now.Sub(s.counted) <= r.fresh(s); !one.Counted {
			one.Waiting = 0
		}
		out = append(out, one)
	}
	return out
}

// lag is how far behind a shard is. Silence is no news, and not good news: after
// it, what has arrived meanwhile may all be unread.
func (r *Reader) lag(s *ShardState, now time.Time) time.Duration {
	since := s.PolledAt
	if since.IsZero() {
		since = s.began
	}
	if silent := now.Sub(since); !s.Closed && !s.Ended && (s.Err != nil || silent > r.fresh(s)) {
		return s.Behind + silent
	}
	return s.Behind
}

// fresh is how long an answer says how far behind a shard is.
func (r *Reader) fresh(s *ShardState) time.Duration {
	if s.FanOut {
		return silentFor // an idle subscription is silent for seconds
	}
	return 3 * r.o.PollEvery
}

// CaughtUp reports whether All has been at the tip of every shard since it
// began or to its end, and the last call for each was answered. The children of a closed shard
// count from when it was drained: until they are started it is not caught up.
func (r *Reader) CaughtUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()

	drained := 0
	for _, s := range r.shards {
		if s.Closed {
			drained++
		} else if !s.Ended && (!s.AtTip || s.Err != nil) {
			return false
		}
	}
	return r.listed && drained == r.followed
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
