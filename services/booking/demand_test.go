package booking_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

// Anybody is told where five riders asked for rides, and nobody where four did, however
// often each of them.
func TestDemand(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Default())
	for i := range 7 {
		h.as(auth.Rider, "r"+strconv.Itoa(min(i, 4))).book(t, "k"+strconv.Itoa(i))
	}
	five, four := time.Now().Add(-5*ride.DemandSpan), time.Now().Add(-3*ride.DemandSpan)
	type answer struct {
		From, To time.Time
		Cells    []map[string]any
	}
	at := func(when time.Time) answer {
		t.Helper()
		_, err := h.pool.Exec(t.Context(), `UPDATE ride.rides SET requested_at = $1::timestamptz WHERE $1 <> $2::timestamptz OR rider_id <> 'r0'`, when, four)
		require.NoError(t, err)
		return ask[answer](t, h.as(auth.Viewer, "v"), 200, "GET", "/v1/demand?at="+strconv.FormatInt(when.UnixMilli(), 10), "")
	}

	shown := at(five)
	require.Equal(t, five.UTC().Truncate(ride.DemandSpan), shown.From)
	require.Equal(t, ride.DemandSpan, shown.To.Sub(shown.From))
	require.Len(t, shown.Cells, 1)
	require.Equal(t, "5-9", shown.Cells[0]["class"])
	require.Empty(t, at(four).Cells)

	newest := ask[struct{ To time.Time }](t, h.as(auth.Viewer, "v"), 200, "GET", "/v1/demand", "").To
	require.WithinDuration(t, time.Now().Add(-ride.DemandSpan/2), newest, ride.DemandSpan/2+10*time.Second)
	for _, when := range []time.Time{newest, newest.Add(-ride.DemandSpan - ride.DemandBack - time.Millisecond)} {
		p := ask[refused](t, h.as(auth.Viewer, "v"), 400, "GET", "/v1/demand?at="+strconv.FormatInt(when.UnixMilli(), 10), "")
		require.Equal(t, "at", p.Field)
	}
}
