package notification

import (
	"context"
	"fmt"
	"time"
)

// removeOld deletes what was delivered longer than keep ago, at most limit events: an
// event's deliveries and its line in the inbox together. It returns how many events.
func (s *store) removeOld(ctx context.Context, keep time.Duration, limit int) (n int64, err error) {
	err = s.pool.QueryRow(ctx, `WITH old AS (
			SELECT event_id FROM notification.deliveries WHERE channel = 'inbox' AND created_at < clock_timestamp() - $1::interval
			ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED),
		deliveries AS (DELETE FROM notification.deliveries d USING old WHERE d.event_id = old.event_id),
		inbox AS (DELETE FROM notification.inbox i USING old WHERE i.event_id = old.event_id)
		SELECT count(*) FROM old`, keep, limit).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("notification: remove old: %w", err)
	}
	return n, nil
}
