package shardgroup

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ownConns is how many connections a worker has beside those of Options.Pool: one
// renews, one plans, one adds the shards that were listed. The one that listens was
// taken out of the pool, and does not count.
const ownConns = 3

// ownPool opens the worker's own connections, to the same database and with the
// same settings as Options.Pool. A renewal that waited there, behind the
// transactions of processors, would cost the worker all its leases.
func (g *Group) ownPool(ctx context.Context) (*pgxpool.Pool, error) {
	cfg := g.o.Pool.Config()
	cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns = ownConns, 0, 0
	// Connecting has limits of its own, and ctx ends before Run is done with the pool.
	return pgxpool.NewWithConfig(context.WithoutCancel(ctx), cfg)
}

// checkTimeouts warns where a frozen process would hold its shards for longer than
// a lease lasts: its open transaction keeps them from every other worker.
func (s *store) checkTimeouts(ctx context.Context, lease time.Duration, log *slog.Logger) error {
	var ms int64
	err := s.pool.QueryRow(ctx, `SELECT setting::bigint FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'`).Scan(&ms)
	if err != nil {
		return fmt.Errorf("look at the pool's settings: %w", err)
	}
	if idle := time.Duration(ms) * time.Millisecond; idle == 0 || idle >= lease {
		log.Warn("the pool's idle_in_transaction_session_timeout is not below the lease time: "+
			"a process that is frozen in a transaction keeps its shards from all others", "is", idle, "lease", lease)
	}
	return nil
}
