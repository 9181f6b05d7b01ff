package shardgroup

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// holdConsumer takes a consumer that nobody holds, or extends our own lease on
// it; false: another's.
func holdConsumer(ctx context.Context, pool *pgxpool.Pool, arn, worker string, ttl time.Duration) (bool, error) {
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

// releaseConsumer gives our lease back, and forgets consumers that nobody has
// held for a day: they are no more.
func releaseConsumer(ctx context.Context, pool *pgxpool.Pool, arn, worker string) error {
	_, err := pool.Exec(ctx, `
		DELETE FROM shardgroup.consumer_leases
		WHERE (consumer_arn = $1 AND owner = $2) OR expires_at < clock_timestamp() - interval '1 day'`, arn, worker)
	if err != nil {
		return fmt.Errorf("release %s: %w", arn, err)
	}
	return nil
}
