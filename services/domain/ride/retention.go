package ride

import (
	"context"
	"fmt"
	"time"
)

// RemoveEnded deletes rides that ended longer than keep ago, with their offers and
// events, at most limit of them, and returns how many. A ride that has not ended
// stays, however old it is.
func (s *Store) RemoveEnded(ctx context.Context, keep time.Duration, limit int) (int64, error) {
	// wake_at is null for terminal rides and for no others: a constraint says so. Of two
	// processes each skips what the other deletes.
	tag, err := s.pool.Exec(ctx, `DELETE FROM ride.rides WHERE id IN (
		SELECT id FROM ride.rides WHERE wake_at IS NULL AND ended_at < clock_timestamp() - $1::interval
		ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED)`, keep, limit)
	if err != nil {
		return 0, fmt.Errorf("ride: remove ended rides: %w", err)
	}
	return tag.RowsAffected(), nil
}
