package shardgroup

import "time"

// Metrics is told what a Group does, as numbers, by many goroutines concurrently. Its
// methods must return at once: the group waits for them. How far behind each shard is,
// Status says.
type Metrics interface {
	// Held adds change, which is 1 or -1, to the number of shards that this worker reads.
	Held(change int)
	// Lost is called where the lease of a shard that was read ran out or was taken, by
	// another worker or by a person; Held is called as well. A worker that is stopped
	// loses none.
	Lost(shard string)
	// Applied is called after a batch, or a part of it, was applied, with how many
	// records it had, those that were parked among them, and how long it took. A shard's
	// last batch may have none.
	Applied(shard string, records int, took time.Duration)
	// Failed is called for each time that reading or applying a shard fails; it is tried
	// again.
	Failed(shard string)
}

// silent is the Metrics of a group without any.
type silent struct{}

func (silent) Held(int)                           {}
func (silent) Lost(string)                        {}
func (silent) Applied(string, int, time.Duration) {}
func (silent) Failed(string)                      {}
