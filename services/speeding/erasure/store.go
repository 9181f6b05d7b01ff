// Package erasure takes a driver out of the table of speeding. It stands beside the reader,
// which is kept short enough to be read at once.
package erasure

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Driver deletes a driver's row, and returns how many that were.
func Driver(ctx context.Context, tx pgx.Tx, driver string) (int64, error) {
	tag, err := tx.Exec(ctx, `DELETE FROM speeding.drivers WHERE driver = $1`, driver)
	if err != nil {
		return 0, fmt.Errorf("speeding: erase a driver: %w", err)
	}
	return tag.RowsAffected(), nil
}
