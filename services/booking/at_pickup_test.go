package booking_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/booking"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

// A driver arrives where the pick-up is, if anybody knows where the driver is.
func TestADriverWhoIsElsewhereDoesNotArrive(t *testing.T) {
	t.Parallel()
	var answer atomic.Pointer[string]
	say := func(format string, args ...any) { s := fmt.Sprintf(format, args...); answer.Store(&s) }
	nearby := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/nearby/ana" || *answer.Load() == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(*answer.Load()))
	}))
	t.Cleanup(nearby.Close)
	h := start(t, profile.Fast(), func(c *booking.Config) { c.NearbyURL = nearby.URL })
	rita, ana := h.as(auth.Rider, "rita"), h.as(auth.Driver, "ana")
	ask[ride.DriverState](t, ana, 200, "PUT", "/v1/drivers/me/duty", `{"on_duty":true}`)
	assigned := func(key string) string {
		r := rita.book(t, key)
		offered, err := h.store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "ana", Attempt: 1}, "worker w1")
		require.NoError(t, err)
		ask[ride.Ride](t, ana, 200, "POST", "/v1/offers/"+offered.Offer.ID+"/accept", "")
		return "/v1/rides/" + r.ID + "/"
	}
	now := time.Now().UnixMilli()

	first := assigned("k1")
	say(`{"driver_id":"ana","lat":-34.85,"lon":-56.1995,"at":%d}`, now) // 6 km away
	refusal := ask[refused](t, ana, 409, "POST", first+"arrive", "")
	require.Equal(t, "conflict", refusal.Code)
	say(`{"driver_id":"ana","lat":-34.9065,"lon":-56.1995,"at":%d}`, now)
	ask[ride.Ride](t, ana, 200, "POST", first+"arrive", "")
	say(`{"driver_id":"ana","lat":-34.85,"lon":-56.1995,"at":%d}`, now)
	ask[refused](t, ana, 409, "POST", first+"pick-up", "")
	say(`{"driver_id":"ana","lat":-34.907,"lon":-56.2,"at":%d}`, now)
	ask[ride.Ride](t, ana, 200, "POST", first+"pick-up", "")
	say(`{"driver_id":"ana","lat":-34.85,"lon":-56.1995,"at":%d}`, now)
	ask[ride.Ride](t, ana, 200, "POST", first+"drop-off", "")

	// Unknown is not elsewhere.
	second := assigned("k2")
	say(`{"driver_id":"ana","lat":-34.85,"lon":-56.1995,"at":%d}`, now-60_000)
	ask[ride.Ride](t, ana, 200, "POST", second+"arrive", "")
	say("")
	ask[ride.Ride](t, ana, 200, "POST", second+"pick-up", "")
	ask[ride.Ride](t, ana, 200, "POST", second+"drop-off", "")
	third := assigned("k3")
	nearby.Close()
	ask[ride.Ride](t, ana, 200, "POST", third+"arrive", "")
}
