package notification

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
)

// An event's deliveries and its line in the inbox leave together, by their age.
func TestOldNoticesLeave(t *testing.T) {
	t.Parallel()
	h, _, _ := setup(t)
	verified(t, h, "rita", "+59899123456", "en")
	ride := uuid.NewString()
	for range 2 {
		h.handle(t.Context(), message(t, event.TypeRideAssigned, "rita", ride))
	}
	_, err := h.store.pool.Exec(t.Context(), `UPDATE notification.deliveries SET created_at = created_at - interval '91 days'
		WHERE event_id = (SELECT min(event_id::text)::uuid FROM notification.inbox)`)
	require.NoError(t, err)

	for _, want := range []int64{1, 0} {
		n, err := h.store.removeOld(t.Context(), 90*24*time.Hour, 10)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	var deliveries, inbox int
	require.NoError(t, h.store.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM notification.deliveries), (SELECT count(*) FROM notification.inbox)`).Scan(&deliveries, &inbox))
	require.Equal(t, []int{2, 1}, []int{deliveries, inbox}, "of the younger event: inbox and SMS")
}
