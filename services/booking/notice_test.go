package booking_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

// The reason that somebody wrote stays with the ride: the message to the rider says
// by a code who acted.
func TestNobodysWordsGoIntoARidersNotice(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	notice := func(r ride.Ride) (n event.RideNotice) {
		var body []byte
		require.NoError(t, h.pool.QueryRow(t.Context(), `SELECT body FROM ride.outbox WHERE key = $1 AND queue = $2`, r.ID, event.QueueNotifications).Scan(&body))
		require.NotContains(t, string(body), "evil")
		e, err := event.Decode(body)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(e.Data, &n))
		return n
	}

	rita := h.as(auth.Rider, "rita")
	for _, c := range []struct {
		by     person
		reason string
	}{{rita, ""}, {h.as(auth.Importer, "feed"), ""}, {h.as(auth.Admin, "ops"), event.ReasonOperator}} {
		r := rita.book(t, c.by.id.Subject)
		r = ask[ride.Ride](t, c.by, 200, "POST", "/v1/rides/"+r.ID+"/cancel", `{"reason":"win at evil.example"}`)
		require.Equal(t, "win at evil.example", r.EndReason)
		require.Equal(t, c.reason, notice(r).Reason, c.by.id.Role)

		// Whoever wrote it and those who operate read it; the rider reads no operator's words.
		owner := h.as(auth.Rider, r.RiderID)
		seen := ask[ride.Ride](t, owner, 200, "GET", "/v1/rides/"+r.ID, "").EndReason
		require.Equal(t, c.by.id.Role != auth.Admin, seen == "win at evil.example", "%s cancelled, the rider reads %q", c.by.id.Role, seen)
	}
}
