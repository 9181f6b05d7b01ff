package outbox

import (
	"context"
	"time"
)

const (
	pruneEvery = time.Minute
	pruneRows  = 1000 // one statement's: it ends soon, and locks little
	prunePause = 50 * time.Millisecond
)

// pruneUntil prunes beside the rounds until ctx ends.
func (r *Relay) pruneUntil(ctx context.Context) {
	for pause := pruneEvery; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}

		n, err := r.prune(ctx)
		if err != nil && ctx.Err() == nil {
			r.o.Log.Warn("sent messages were not pruned; it is tried again in a minute", "err", err)
		}

		pause = pruneEvery
		if n == pruneRows { // there is more
			pause = prunePause
		}
	}
}

// prune deletes some old sent rows, and returns how many. It needs not the table's
// lock, because no round reads them; of two relays that prune, each skips the
// other's.
func (r *Relay) prune(ctx context.Context) (n int64, err error) {
	tag, err := r.o.Pool.Exec(ctx, `DELETE FROM `+r.o.Box.table+` WHERE seq IN (SELECT seq FROM `+r.o.Box.table+`
		WHERE sent_at < now() - $1::interval ORDER BY sent_at LIMIT $2 FOR UPDATE SKIP LOCKED)`, r.o.KeepSent, pruneRows)
	return tag.RowsAffected(), err
}
