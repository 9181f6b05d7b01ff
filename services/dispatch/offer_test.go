package dispatch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
)

func TestProposals(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	asks := func(id string, waited time.Duration, drivers ...candidate) ask {
		return ask{ride: ride.Ride{ID: id, RequestedAt: now.Add(-waited)}, drivers: drivers}
	}
	driver := func(id string, away time.Duration) candidate { return candidate{ID: id, away: away} }
	order := func(all ...ask) (out []string) {
		for _, p := range proposals(now, all) {
			out = append(out, p.ride.ID+" "+p.driver)
		}
		return out
	}

	require.Empty(t, order(asks("new", 0)))
	require.Equal(t, []string{"new ana", "new bo"}, order(asks("new", 0, driver("ana", time.Second), driver("bo", time.Minute))))
	require.Equal(t, []string{"old ana", "new ana"}, order(
		asks("new", 0, driver("ana", 30*time.Second)), asks("old", 40*time.Second, driver("ana", time.Minute))), "the older one's way is 30 s longer, and it has waited 40 s")
	require.Equal(t, []string{"new ana", "old ana"}, order(
		asks("new", 0, driver("ana", 30*time.Second)), asks("old", 40*time.Second, driver("ana", 2*time.Minute))), "it is too far away")
	require.Equal(t, []string{"new ana", "far ana"}, order(
		asks("new", 0, driver("ana", 0)), asks("far", 9*time.Minute, driver("ana", 10*time.Minute))))
	require.Equal(t, []string{"far ana", "new ana"}, order(
		asks("new", 0, driver("ana", 0)), asks("far", 11*time.Minute, driver("ana", 10*time.Minute))), "nobody waits for ever")

	passed := asks("new", time.Hour, driver("ana", 0), driver("bo", time.Hour))
	passed.last = []string{"ana"}
	require.Equal(t, []string{"new bo", "new ana"}, order(passed), "who let it pass comes last, however near")
}
