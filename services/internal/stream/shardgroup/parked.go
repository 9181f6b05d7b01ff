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
