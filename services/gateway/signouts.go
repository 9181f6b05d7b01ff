package gateway

import (
	"context"
	"time"
)

const (
	// lookEvery is how often a gateway looks for sign-outs at other ones: what they
	// end here ends that much later.
	lookEvery = 2 * time.Second
	// commitWithin is how long a sign-out's transaction may take. Its row has the time
	// of the beginning, and is seen after the end.
	commitWithin = 30 * time.Second
)

// followSignOuts ends what this gateway has of people who have signed out at another
// one.
func (g *gateway) followSignOuts(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()

	done, away := map[int64]bool{}, false
	looked := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}

		// From the last look that succeeded: what came while the database was away is
		// among it.
		began := time.Now()
		next, err := g.endSignedOut(ctx, began.Sub(looked)+commitWithin, done)
		if err != nil {
			if ctx.Err() == nil && !away { // once, and not every 2 s
				g.env.Log.Warn("sign-outs at other gateways cannot be seen; it is tried again every 2 s", "err", err)
			}
			away = true
			continue
		}
		done, looked, away = next, began, false
	}
}

// endSignedOut ends what is here of everybody who has signed out within the last
// while and is not among done, and returns the new done.
func (g *gateway) endSignedOut(ctx context.Context, within time.Duration, done map[int64]bool) (map[int64]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	outs, err := g.store.signOuts(ctx, within)
	if err != nil {
		return nil, err
	}

	next := map[int64]bool{}
	for _, o := range outs {
		next[o.ID] = true
		// Once: whoever has signed in again since is not signed out again.
		if !done[o.ID] {
			g.forget(o.Identity)
		}
	}
	return next, nil
}
