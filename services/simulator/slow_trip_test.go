package simulator

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/geo"
	"tandem/services/domain/profile"
)

func TestTheSlowTripsDriverThinksInTime(t *testing.T) {
	now := time.Now()
	offer := func(pickup, dropoff geo.Point, answerIn time.Duration) client.Offer {
		return client.Offer{Ride: client.Ride{Pickup: client.Place{Point: pickup}, Dropoff: client.Place{Point: dropoff}}, ExpiresAt: now.Add(answerIn)}
	}
	pickup, dropoff := slowTrip()
	beside := geo.Point{Lat: pickup.Lat + 0.0001, Lon: pickup.Lon} // 11 m

	for name, tc := range map[string]struct {
		offer client.Offer
		want  time.Duration
	}{
		"the slow trip":                         {offer(pickup, dropoff, profile.Default().Offer), slowThink},
		"its driver heard of it late":           {offer(pickup, dropoff, 10*time.Second), 8 * time.Second},
		"offers end sooner than anybody thinks": {offer(pickup, dropoff, profile.Fast().Offer), 3 * time.Second},
		"the way back":                          {offer(dropoff, pickup, profile.Default().Offer), 3 * time.Second},
		"from the next house":                   {offer(beside, dropoff, profile.Default().Offer), 3 * time.Second},
	} {
		require.Equal(t, tc.want, thinkAbout(tc.offer, 3*time.Second, now), name)
	}
	require.GreaterOrEqual(t, profile.Default().Offer, slowThink+answerBefore, "the driver would always be too late")
	require.Less(t, slowThink, profile.Default().Visibility, "the answer comes while the killed worker's message is hidden")
}

// The page that suggests the trip, and the driver who knows it, are two programs.
func TestThePageSuggestsTheSlowTrip(t *testing.T) {
	page, err := os.ReadFile("../../web/src/rider/slow-trip.ts")
	require.NoError(t, err)
	pickup, dropoff := slowTrip()
	for end, p := range map[string]geo.Point{"pickup": pickup, "dropoff": dropoff} {
		require.Contains(t, string(page), fmt.Sprintf("%s: { lat: %v, lon: %v,", end, p.Lat, p.Lon))
	}
}
