package booking_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

// A rider has five rides open; the next one is refused, and says until when. An
// importer books what was recorded.
func TestOpenRidesOfARiderAreBounded(t *testing.T) {
	h := start(t, profile.Default())
	rita := h.as(auth.Rider, "rita")
	var first ride.Ride
	for n := range 5 {
		first = rita.book(t, fmt.Sprint("k", n))
	}

	resp := rita.send(t, "POST", "/v1/rides", trip, "Idempotency-Key", "one more")
	require.Equal(t, 409, resp.StatusCode)
	after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	require.NoError(t, err)
	require.Greater(t, after, 60)
	require.LessOrEqual(t, after, 600, "when the first of them expires")
	require.Equal(t, first.ID, rita.book(t, "k4").ID, "a try of a booking that is there is no new one")

	h.as(auth.Rider, "otto").book(t, "k")
	recorded := `{"rider_id":"rita",` + trip[1:]
	for n := range 7 {
		ask[ride.Ride](t, h.as(auth.Importer, "feed"), 201, "POST", "/v1/rides", recorded, "Idempotency-Key", fmt.Sprint("recorded-", n))
	}

	ask[ride.Ride](t, rita, 200, "POST", "/v1/rides/"+first.ID+"/cancel", "{}")
	require.Equal(t, 409, rita.send(t, "POST", "/v1/rides", trip, "Idempotency-Key", "one more").StatusCode, "the recorded ones are rita's, too")
}
