package shardgroup

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Progress is how far a group has applied one shard.
type Progress struct {
	Shard   string
	Known   time.Time // all of it that arrived before is applied
	Begun   bool      // a record of it was applied
	Drained bool      // closed, and applied to its end
}

// ReadProgress returns how far the newest generation of a group has applied the shards
// of the stream that was created then; none where it has not read that stream.
func ReadProgress(ctx context.Context, q Querier, group string, created time.Time) ([]Progress, error) {
	rows, err := q.Query(ctx, `
		SELECT l.shard, greatest(c.arrived_at, c.tip_at, l.since), coalesce(c.sequence, '') <> '', l.completed_at IS NOT NULL
		FROM shardgroup.leases l LEFT JOIN shardgroup.checkpoints c USING (stream_id, shard)
		WHERE l.stream_id = (
			SELECT id FROM shardgroup.streams WHERE group_name = $1 AND created_at = $2 ORDER BY generation DESC LIMIT 1)
		ORDER BY l.shard`, group, created)
	if err != nil {
		return nil, fmt.Errorf("how far %s has read: %w", group, err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Progress])
	if err != nil {
		return nil, fmt.Errorf("how far %s has read: %w", group, err)
	}
	return out, nil
}

// ReadParked returns where the records lie that a group has set aside, of the stream
// that was created then and with from <= arrival < to.
func ReadParked(ctx context.Context, q Querier, group string, created, from, to time.Time) (map[shardreader.Position]bool, error) {
	rows, err := q.Query(ctx, `
		SELECT d.shard, d.sequence, d.sub FROM shardgroup.dead_records d JOIN shardgroup.streams s ON s.id = d.stream_id
		WHERE s.group_name = $1 AND s.created_at = $2 AND d.arrived_at >= $3 AND d.arrived_at < $4`, group, created, from, to)
	if err != nil {
		return nil, fmt.Errorf("records that %s has set aside: %w", group, err)
	}

	out := map[shardreader.Position]bool{}
	var p shardreader.Position
	_, err = pgx.ForEachRow(rows, []any{&p.Shard, &p.Sequence, &p.Sub}, func() error {
		out[p] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("records that %s has set aside: %w", group, err)
	}
	return out, nil
}
