package booking_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/test/apitest"
)

// TestTheDescribedErrorsHappen provokes each answer that the description has of
// booking's routes and that a request alone can cause, and finds an example with the
// same code and field.
func TestTheDescribedErrorsHappen(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Default())
	well := "each test of this package asks through the same transport"
	h.api.Provoke(t, refusedByState(t, h), map[string]string{
		"200": well, "201": well,
		"429": "httpserver's tests have the limits of rates and streams", "503": "open_test.go and httpserver's tests take dependencies away",
	})
}

// refusedByState are requests that are refused for what they name, or for the state of
// it.
func refusedByState(t *testing.T, h *harness) (out []apitest.Request) {
	t.Helper()
	rita, olga, ana := h.as(auth.Rider, "rita"), h.as(auth.Rider, "olga"), h.as(auth.Driver, "ana")
	feed, admin := h.as(auth.Importer, "feed"), h.as(auth.Admin, "ops")
	add := func(op string, who person, status int, path, body string, header ...string) {
		out = append(out, apitest.Request{Op: op, Who: who.id, Status: status, Path: path, Body: body, Header: header})
	}

	add("createRide", rita, 400, "/v1/rides", trip)
	add("createRide", rita, 400, "/v1/rides", `{}`, "Idempotency-Key", "k1")
	add("createRide", rita, 400, "/v1/rides", `{"pickup":{"lat":"x"}}`, "Idempotency-Key", "k1")
	add("createRide", rita, 400, "/v1/rides", strings.Replace(trip, "{", `{"rider_id":"otto",`, 1), "Idempotency-Key", "k1")
	for i := range 5 {
		olga.book(t, "k"+strconv.Itoa(i))
	}
	add("createRide", olga, 409, "/v1/rides", trip, "Idempotency-Key", "k6")
	add("createRide", olga, 422, "/v1/rides", strings.Replace(trip, "-56.1645", "-56.1646", 1), "Idempotency-Key", "k1")

	requested, cancelled := rita.book(t, "k1"), rita.book(t, "k2")
	etag := olga.send(t, "GET", "/v1/rides/"+h.first(t), "").Header.Get("ETag")
	add("getRide", olga, 304, "/v1/rides/"+h.first(t), "", "If-None-Match", `"x", W/`+etag)
	do := func(id string, a ride.Action) ride.Ride {
		t.Helper()
		r, err := h.store.Do(t.Context(), id, a, "test")
		require.NoError(t, err)
		return r
	}
	do(cancelled.ID, ride.Action{Kind: ride.ActCancel})
	add("cancelRide", rita, 409, "/v1/rides/"+cancelled.ID+"/cancel", "")
	add("cancelRide", rita, 400, "/v1/rides/"+cancelled.ID+"/cancel", `{"reason":"`+strings.Repeat("x", 201)+`"}`)
	add("endRide", admin, 409, "/v1/rides/"+requested.ID+"/end", `{"reason":"lost"}`)
	add("endRide", admin, 404, "", `{"reason":"lost"}`)
	add("endRide", admin, 400, "/v1/rides/"+requested.ID+"/end", `{}`)

	ask[ride.DriverState](t, ana, 200, "PUT", "/v1/drivers/me/duty", `{"on_duty":true}`)
	offer := do(requested.ID, ride.Action{Kind: ride.ActOffer, Driver: "ana"}).Offer.ID
	add("setDuty", ana, 409, "/v1/drivers/me/duty", `{"on_duty":false}`)
	for op, action := range map[string]string{"arrive": "arrive", "pickUp": "pick-up", "dropOff": "drop-off"} {
		add(op, ana, 409, "/v1/rides/"+requested.ID+"/"+action, "")
	}

	late := rita.book(t, "k3")
	ask[ride.DriverState](t, h.as(auth.Driver, "bo"), 200, "PUT", "/v1/drivers/me/duty", `{"on_duty":true}`)
	gone := do(late.ID, ride.Action{Kind: ride.ActOffer, Driver: "bo"}).Offer.ID
	do(late.ID, ride.Action{Kind: ride.ActCancel})
	require.NotEqual(t, gone, offer)
	add("acceptOffer", h.as(auth.Driver, "bo"), 410, "/v1/offers/"+gone+"/accept", "")
	add("refuseOffer", h.as(auth.Driver, "bo"), 410, "/v1/offers/"+gone+"/refuse", "")

	add("listRides", rita, 400, "/v1/rides?state=flying", "")
	add("rideEvents", rita, 400, "/v1/rides/"+requested.ID+"/events", "", "Last-Event-ID", "x")
	add("setDuty", ana, 400, "/v1/drivers/me/duty", `{}`)
	add("driverState", feed, 400, "/v1/drivers/me", "")
	add("earnings", feed, 400, "/v1/drivers/me/earnings", "")
	add("driverEvents", feed, 400, "/v1/drivers/me/events", "")
	add("fleetEvents", feed, 400, "/v1/drivers/events", "")
	for _, parameter := range []string{"limit=0", "after=x"} {
		add("listRides", rita, 400, "/v1/rides?"+parameter, "")
	}
	add("quote", rita, 400, "/v1/quote?pickup=-91,0&dropoff=1,1", "")
	add("quote", rita, 400, "/v1/quote?pickup=-34.9,-56.1&dropoff=-34.9,-56.1", "")
	add("demand", rita, 400, "/v1/demand?at=2026-01-01T00:00:00Z", "")
	add("route", rita, 400, "/v1/route?from=x&to=1,1", "")
	add("searchPlaces", rita, 400, "/v1/places?q="+strings.Repeat("x", 201), "")
	for _, lat := range []string{"x", "", "90.1", "NaN", "-Inf", "1e999"} {
		add("nearestPlace", rita, 400, "/v1/places/near?lon=1&lat="+lat, "")
	}
	return out
}

// Two who see different things of one ride have different tags, and only what one sees
// changes one's tag.
func TestARidesETag(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	rita, admin := h.as(auth.Rider, "rita"), h.as(auth.Admin, "ops")
	tag := func(p person, status int, header ...string) string {
		t.Helper()
		resp := p.send(t, "GET", "/v1/rides/"+h.first(t), "", header...)
		require.Equal(t, status, resp.StatusCode)
		return resp.Header.Get("ETag")
	}
	resp := rita.send(t, "POST", "/v1/rides", trip, "Idempotency-Key", "k1")
	booked := resp.Header.Get("ETag")
	require.Equal(t, booked, tag(rita, 304, "If-None-Match", booked), "the booking's answer has it as well")
	tag(rita, 304, "If-None-Match", "*")
	tag(rita, 200, "If-None-Match", booked[:5]+`"`)

	ask[ride.DriverState](t, h.as(auth.Driver, "ana"), 200, "PUT", "/v1/drivers/me/duty", `{"on_duty":true}`)
	ops := tag(admin, 200)
	_, err := h.store.Do(t.Context(), h.first(t), ride.Action{Kind: ride.ActOffer, Driver: "ana"}, "test")
	require.NoError(t, err)
	require.NotEqual(t, ops, tag(admin, 200, "If-None-Match", ops), "an operator sees who was asked")
	offered := tag(rita, 200, "If-None-Match", booked)
	require.NotEqual(t, tag(admin, 200), offered)

	// An act that was done is never told as "not modified".
	require.Equal(t, 200, rita.send(t, "POST", "/v1/rides/"+h.first(t)+"/cancel", "", "If-None-Match", "*").StatusCode)
}

// first returns the id of the first ride.
func (h *harness) first(t *testing.T) string {
	t.Helper()
	rides, err := h.store.List(t.Context(), ride.Filter{})
	require.NoError(t, err)
	require.NotEmpty(t, rides)
	return rides[len(rides)-1].ID
}

// TestEveryMemberAndParameterIsChecked sends each of them wrong: each is refused by name,
// and nothing is written.
func TestEveryMemberAndParameterIsChecked(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Default())
	rita, feed := h.as(auth.Rider, "rita").id, h.as(auth.Importer, "feed").id
	at := "/v1/rides/" + h.as(auth.Rider, "rita").book(t, "k").ID
	booking := strings.Replace(trip, "{", `{"rider_id":"rita",`, 1)
	key := []string{"Idempotency-Key", "k2"}
	const reason = `{"reason":"it rains"}`

	h.api.RefusesWrongInput(t, []apitest.Request{
		{Op: "createRide", Who: feed, Body: booking, Header: key},
		{Op: "setDuty", Who: feed, Body: `{"on_duty":true,"driver_id":"ana"}`},
		{Op: "cancelRide", Who: rita, Path: at + "/cancel", Body: reason},
		{Op: "listRides", Who: rita}, {Op: "rideEvents", Who: rita, Path: at + "/events"},
		{Op: "driverState", Who: feed, Path: "/v1/drivers/me?driver_id=ana"}, {Op: "earnings", Who: feed, Path: "/v1/drivers/me/earnings?driver_id=ana"},
		{Op: "driverEvents", Who: feed, Path: "/v1/drivers/me/events?driver_id=ana"}, {Op: "fleetEvents", Who: feed, Path: "/v1/drivers/events?prefix=d"},
		{Op: "quote", Who: feed, Path: "/v1/quote?pickup=-34.9,-56.16&dropoff=-34.92,-56.16"}, {Op: "route", Who: feed, Path: "/v1/route?from=-34.9,-56.16&to=-34.92,-56.16"},
		{Op: "searchPlaces", Who: feed, Path: "/v1/places?q=plaza"}, {Op: "nearestPlace", Who: feed, Path: "/v1/places/near?lat=-34.9&lon=-56.16"},
		{Op: "demand", Who: rita, Path: "/v1/demand?at=" + strconv.FormatInt(time.Now().Add(-time.Hour).UnixMilli(), 10)},
	}, func() any {
		var kept string
		require.NoError(t, h.pool.QueryRow(t.Context(), `SELECT jsonb_agg(to_jsonb(r) - 'wake_at')::text || (SELECT count(*) FROM ride.drivers) FROM ride.rides r`).Scan(&kept))
		return kept
	})
}
