package shardreader

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Each calls read for each of the shards, beside each other, and for a child after its
// parents' calls have returned: a key's records go on in the child. It returns the first
// error, or why ctx has ended (context.Cause), also where read returned nil then: nil
// means that all were read.
func Each(ctx context.Context, shards []Shard, read func(ctx context.Context, shard string) error) error {
	done := map[string]bool{}
	for len(done) < len(shards) {
		g, reading := errgroup.WithContext(ctx)
		ready := readable(shards, done)
		for _, shard := range ready {
			g.Go(func() error { return read(reading, shard) })
		}

		err := g.Wait()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		for _, shard := range ready {
			done[shard] = true
		}
	}
	return nil
}

// readable returns the shards that are not done, and of whose parents none is left.
func readable(shards []Shard, done map[string]bool) (out []string) {
	listed := map[string]bool{}
	for _, sh := range shards {
		listed[sh.ID] = true
	}
	for _, sh := range shards {
		waits := done[sh.ID]
		for _, p := range sh.Parents {
			waits = waits || listed[p] && !done[p]
		}
		if !waits {
			out = append(out, sh.ID)
		}
	}
	return out
}
