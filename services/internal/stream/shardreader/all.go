package shardreader

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
)

// relistEvery is how often All looks for shards it does not know. After a
// shard is closed it looks at once.
const relistEvery = 30 * time.Second

// All reads every shard of the stream, children after their parents are
// drained, until ctx ends (its error), handle fails (its error) or the stream
// is made anew (ErrStreamChanged; call it again with Horizon). handle is called
// for one batch of a shard at a time, and for different shards at once.
func (r *Reader) All(ctx context.Context, start Start, handle Handler) error {
	r.mu.Lock()
	r.listed, r.stream = false, Stream{Created: r.o.Created}
	clear(r.shards)
	r.mu.Unlock()
	g, ctx := errgroup.WithContext(ctx)
	f := &family{r: r, start: start, handle: handle, g: g, state: map[string]bool{}, closed: make(chan string, 16)}
	g.Go(func() error { return f.run(ctx) })
	return g.Wait()
}

// family starts the shards of one stream in order.
type family struct {
	r      *Reader
	start  Start
	handle Handler
	g      *errgroup.Group
	state  map[string]bool // shard -> drained; run's alone
	closed chan string
}

func (f *family) run(ctx context.Context) error {
	backoff := firstBackoff
	for {
		wait := relistEvery
		switch err := f.list(ctx); {
		case errors.Is(err, ErrStreamChanged):
			return err
		case err != nil:
			f.r.o.Log.Warn("listing shards fails; trying again", "stream", f.r.o.Stream, "in", backoff, "err", err)
			wait, backoff = backoff, min(backoff*2, lastBackoff)
		default:
			backoff = firstBackoff
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case shard := <-f.closed:
			f.state[shard] = true
		case <-t.C:
		}
		t.Stop()
	}
}

// list starts what may be started now.
func (f *family) list(ctx context.Context) error {
	if err := f.r.check(ctx); err != nil {
		return err
	}
	shards, err := f.r.Shards(ctx)
	if err != nil {
		return err
	}
	known, latest := map[string]bool{}, f.start.kind == fromLatest
	first := len(f.state) == 0
	for _, s := range shards {
		known[s.ID] = true
		if first && latest && s.Closed {
			f.state[s.ID] = true // nothing of it is wanted
		}
	}
	start := f.start
	if !first && latest {
		start = Horizon() // the shards that are new were made after we began
	}
	for _, s := range shards {
		if _, started := f.state[s.ID]; !started && f.ready(s, known) {
			f.state[s.ID] = false
			f.g.Go(func() error { return f.read(ctx, s.ID, start) })
		}
	}
	f.r.mu.Lock()
	f.r.listed = len(f.state) > 0
	f.r.mu.Unlock()
	return nil
}

// ready says whether a shard's parents are drained or no longer kept.
func (f *family) ready(s Shard, known map[string]bool) bool {
	for _, p := range s.Parents {
		if known[p] && !f.state[p] {
			return false
		}
	}
	return true
}

func (f *family) read(ctx context.Context, shard string, start Start) error {
	err := f.r.Shard(ctx, shard, start, f.handle)
	if err != nil && !errors.Is(err, ErrShardGone) {
		return err
	}
	select {
	case f.closed <- shard:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
