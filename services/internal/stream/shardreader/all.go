package shardreader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// relistEvery is how often All looks for shards it does not know. After a
// shard is closed it looks at once.
const relistEvery = 30 * time.Second

// All reads every shard of the stream, children after their parents are
// drained. It returns nil once ctx has ended or every shard is read to the end that
// start may have (Until, Through), handle's error where that fails, or
// ErrStreamChanged where the stream is recreated (call it again with Horizon). handle
// is called for one batch of a shard at a time, and for different shards concurrently.
func (r *Reader) All(ctx context.Context, start Start, handle Handler) error {
	if err := start.check(); err != nil {
		return err
	}

	// What an earlier call has seen says nothing about this one's shards.
	r.mu.Lock()
	r.listed, r.followed, r.stream = false, 0, Stream{Created: r.o.Created}
	clear(r.shards)
	r.mu.Unlock()

	g, reading := errgroup.WithContext(ctx)
	s := &scheduler{r: r, start: start, handle: handle, g: g, drained: map[string]bool{}, ended: make(chan ending, 16)}
	g.Go(func() error { return s.run(reading) })
	return unlessEnded(ctx, g.Wait())
}

// scheduler starts the shards of one stream, a child after its parents.
type scheduler struct {
	r       *Reader
	start   Start
	handle  Handler
	g       *errgroup.Group
	drained map[string]bool // of each shard that was started; run's alone
	ended   chan ending     // shards that are read to their end from now on
	ends    []string        // shards that were read until they were drained; run's alone
}

// ending is the end of a shard: it is drained or, at the end that Start sets, done with.
type ending struct {
	shard   string
	drained bool
}

func (s *scheduler) run(ctx context.Context) error {
	backoff := firstBackoff
	for {
		wait := relistEvery
		switch err := s.startReadable(ctx); {
		case errors.Is(err, ErrStreamChanged):
			return err
		case err != nil:
			s.r.o.Log.Warn("listing shards fails; trying again", "stream", s.r.o.Stream, "in", backoff, "err", err)
			wait, backoff = backoff, min(backoff*2, lastBackoff)
		case s.done():
			return nil
		default:
			backoff = firstBackoff
		}

		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case e := <-s.ended:
			s.drained[e.shard] = true
			if e.drained {
				s.ends = append(s.ends, e.shard)
			}
		case <-t.C:
		}
		t.Stop()
	}
}

// done reports whether every shard was read to the end that Start sets. A shard that is
// not started waits for one that is not read to its end.
func (s *scheduler) done() bool {
	for _, ended := range s.drained {
		if !ended {
			return false
		}
	}
	return s.start.bounded && len(s.drained) > 0
}

// startReadable starts reading the shards that may be read now.
func (s *scheduler) startReadable(ctx context.Context) error {
	// Before shards are listed: those of a recreated stream have the same names.
	if err := s.r.check(ctx); err != nil {
		return err
	}
	shards, err := s.r.Shards(ctx)
	if err != nil {
		return err
	}

	known, parents, latest := map[string]bool{}, map[string]bool{}, s.start.kind == fromLatest
	first := len(s.drained) == 0
	for _, sh := range shards {
		known[sh.ID] = true
		for _, p := range sh.Parents {
			parents[p] = true
		}
		if first && latest && sh.Closed {
			s.drained[sh.ID] = true // nothing of it is wanted
		}
	}
	start := s.start
	if !first && latest {
		start.kind = fromHorizon // a shard that is new was opened after we began: all of it is wanted
	}

	for _, sh := range shards {
		if _, started := s.drained[sh.ID]; !started && s.readable(sh, known) {
			s.drained[sh.ID] = false
			s.r.update(sh.ID, func(st *ShardState) { st.began = time.Now() }) // from here on it counts for CaughtUp
			s.g.Go(func() error { return s.read(ctx, sh.ID, start) })
		}
	}

	// A shard is closed by what opens its children, but a list may be older.
	for _, sh := range s.ends {
		if known[sh] && !parents[sh] {
			return fmt.Errorf("%w: %s", errNoChildren, sh)
		}
	}

	s.r.mu.Lock()
	s.r.listed, s.r.followed = len(s.drained) > 0, len(s.ends)
	s.r.mu.Unlock()
	return nil
}

// errNoChildren is why shards are listed again at once.
var errNoChildren = errors.New("the children of a drained shard are not listed yet")

// readable reports whether a shard's parents are drained or no longer kept: a
// key's records go on in the child, so the parent's must be handled first.
func (s *scheduler) readable(sh Shard, known map[string]bool) bool {
	for _, p := range sh.Parents {
		if known[p] && !s.drained[p] {
			return false
		}
	}
	return true
}

func (s *scheduler) read(ctx context.Context, shard string, start Start) error {
	// Nil means drained here, not stopped: only then children may be read.
	err := s.r.drain(ctx, shard, start, s.handle)
	ended := errors.Is(err, errEnded)
	if err != nil && !errors.Is(err, ErrShardGone) && !ended {
		return err
	}
	s.r.update(shard, func(st *ShardState) { st.Closed, st.Ended, st.Err = !ended, ended, nil }) // closed also where it is gone

	select {
	case s.ended <- ending{shard, !ended}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
