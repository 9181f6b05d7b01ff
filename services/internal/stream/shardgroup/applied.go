package shardgroup

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// AppliedTo returns the time before which all that arrived is applied, of all shards of a
// group's newest generation on the newest life of its stream; zero where the group has
// not begun. It stands where the slowest shard does. What was parked or is a gap counts
// as applied. Arrivals have Kinesis's clock, and a shard's tip is of its reader's: allow
// for the difference.
func AppliedTo(ctx context.Context, q Querier, group string) (time.Time, error) {
	// A drained shard holds nothing back, since its children do. But they are listed a
	// moment after it is drained: until then it stands for them. Children that have left
	// the stream before they were listed never come, so it does not do so for ever.
	rows, _ := q.Query(ctx, `
		WITH newest AS (
			SELECT id FROM shardgroup.streams WHERE group_name = $1 ORDER BY generation DESC, created_at DESC LIMIT 1)
		SELECT min(greatest(c.arrived_at, c.tip_at, l.since))
		FROM newest s JOIN shardgroup.leases l ON l.stream_id = s.id LEFT JOIN shardgroup.checkpoints c ON c.stream_id = s.id AND c.shard = l.shard
		WHERE l.completed_at IS NULL OR l.completed_at > clock_timestamp() - interval '1 day'
			AND NOT EXISTS (SELECT FROM shardgroup.leases child WHERE child.stream_id = s.id AND l.shard = ANY(child.parents))`, group) // its error is that of reading the rows
	to, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*time.Time])
	if err != nil {
		return time.Time{}, fmt.Errorf("how far %s is: %w", group, err)
	}
	if to == nil {
		return time.Time{}, nil
	}
	return *to, nil
}
