package heatmap

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErasePresence deletes where a driver was in the minutes up to until, and in the next one,
// since a fix may lie a minute ahead of when it arrived, and returns how many rows that
// were. What the cells have counted names nobody and cannot be told apart; the driver's
// mark stays, or its points would be counted again.
func ErasePresence(ctx context.Context, tx pgx.Tx, driver string, until time.Time) (int64, error) {
	tag, err := tx.Exec(ctx, `DELETE FROM heatmap.presence WHERE driver = $1 AND window_at <= $2::timestamptz + interval '1 minute'`, driver, until)
	if err != nil {
		return 0, fmt.Errorf("heatmap: erase a driver's presence: %w", err)
	}
	return tag.RowsAffected(), nil
}
