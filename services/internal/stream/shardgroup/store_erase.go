package shardgroup

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// EraseDeadRecords deletes the dead records of a key that arrived on the stream up to
// until, of all groups, and returns how many that were. A group that reads the stream
// again may set the same records aside again.
func EraseDeadRecords(ctx context.Context, tx pgx.Tx, key string, until time.Time) (int64, error) {
	tag, err := tx.Exec(ctx, `DELETE FROM shardgroup.dead_records WHERE key = $1 AND arrived_at <= $2`, key, until)
	if err != nil {
		return 0, fmt.Errorf("shardgroup: erase dead records: %w", err)
	}
	return tag.RowsAffected(), nil
}
