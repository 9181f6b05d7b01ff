package ride

import (
	"context"
	"fmt"
	"time"
)

// oldestWaiting returns since when a worker could have taken the oldest request that
// none has received, or nil if no request waits. A delayed message is nobody's to take
// before its time, and a dead letter is nobody's at all.
func (s *Store) oldestWaiting(ctx context.Context) (*time.Time, error) {
	var oldest *time.Time
	err := s.pool.QueryRow(ctx, `SELECT min(q.at + make_interval(secs => (q.data->>'delay_s')::float8))
		FROM ride.rides r JOIN ride.ride_events q ON q.ride_id = r.id AND q.kind = 'queued' AND q.attempt = r.attempt
		WHERE r.state = 'requested' AND r.wake_at IS NOT NULL AND r.wake_at <> r.expires_at
			AND q.at + make_interval(secs => (q.data->>'delay_s')::float8) <= clock_timestamp()
			AND NOT EXISTS (SELECT FROM ride.ride_events e WHERE e.ride_id = r.id AND e.attempt = r.attempt AND e.kind = 'received')`).Scan(&oldest)
	if err != nil {
		return nil, fmt.Errorf("ride: the oldest request: %w", err)
	}
	return oldest, nil
}
