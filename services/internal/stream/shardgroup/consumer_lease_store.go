package shardgroup

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// leaseConsumer acquires the lease of a consumer that nobody holds, or renews
// our own, and reports whether it is ours now.
func leaseConsumer(ctx context.Context, pool *pgxpool.Pool, arn, worker string, ttl time.Duration) (bool, error) {
	tag, err := pool.Exec(ctx, `
		INSERT INTO shardgroup.consumer_leases AS l (consumer_arn, owner, expires_at)
		VALUES ($1, $2, clock_timestamp() + $3::interval)
		ON CONFLICT (consumer_arn) DO UPDATE SET owner = excluded.owner, expires_at = clock_timestamp() + $3::interval
		WHERE l.owner = excluded.owner OR l.expires_at <= clock_timestamp()`, arn, worker, ttl)
	if err != nil {
		return false, fmt.Errorf("lease %s: %w", arn, err)
	}
	return tag.RowsAffected() == 1, nil
}

// releaseConsumers deletes all leases in our name, also one whose answer was lost,
// and those that nobody has held for a day: their consumers do not exist any more.
func releaseConsumers(ctx context.Context, pool *pgxpool.Pool, worker string) error {
	_, err := pool.Exec(ctx, `
		DELETE FROM shardgroup.consumer_leases
		WHERE owner = $1 OR expires_at < clock_timestamp() - interval '1 day'`, worker)
	if err != nil {
		return fmt.Errorf("release the leases of %s: %w", worker, err)
	}
	return nil
}
