package booking_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/geo"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

const nobodys = "019b0000-0000-7000-8000-000000000000" // no ride and no offer has this id

func TestEveryAnswerHasAnExample(t *testing.T) {
	t.Parallel()
	for _, op := range operations(t, description(t)) {
		for status, answer := range op.Responses.Map() {
			for kind, media := range answer.Value.Content {
				require.True(t, status == "default" || media.Example != nil || len(media.Examples) > 0, "%s %s %s", op.OperationID, status, kind)
			}
		}
	}
}

// asked is a request, and what the description says of its answer.
type asked struct {
	op           operation
	who          *person // nil: nobody
	status       int
	method, path string
	body, kind   string
	header       []string
}

// TestTheDescribedErrorsHappen provokes each answer that the description has of
// booking's routes and that a request alone can cause, and finds an example with the
// same code and field.
func TestTheDescribedErrorsHappen(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Default())
	ops := map[string]operation{}
	left := map[string]bool{}
	for _, op := range operations(t, description(t)) {
		ops[op.OperationID] = op
		for status := range op.Responses.Map() {
			// What a server under load answers, other tests provoke.
			if status != "default" && status[0] > '2' && status != "429" && status != "503" {
				left[op.OperationID+" "+status] = true
			}
		}
	}

	var requests []asked
	for _, op := range ops {
		requests = append(requests, refusedToAnybody(h, op)...)
	}
	requests = append(requests, refusedByState(t, h, ops)...)

	for _, r := range requests {
		name := r.op.OperationID + " " + strconv.Itoa(r.status)
		r.provoke(t, h)
		delete(left, name)
	}
	require.Empty(t, slices.Sorted(maps.Keys(left)), "described, and provoked by no request here")
}

func (a asked) provoke(t *testing.T, h *harness) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), a.method, h.base+a.path, strings.NewReader(a.body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", a.kind)
	if a.who != nil {
		token, err := h.signer.Sign(a.who.id, profile.Default().Offer)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(a.header); i += 2 {
		req.Header.Set(a.header[i], a.header[i+1])
	}

	resp, err := h.http.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	name := fmt.Sprintf("%s %s %s: %s", a.method, a.path, a.body[:min(len(a.body), 100)], body)
	require.Equal(t, a.status, resp.StatusCode, name)
	if a.status == http.StatusNotModified {
		require.Empty(t, body)
		return
	}

	var got refused
	require.NoError(t, json.Unmarshal(body, &got), name)
	var examples []refused
	for _, e := range a.op.Responses.Value(strconv.Itoa(a.status)).Value.Content["application/problem+json"].Examples {
		examples = append(examples, exampleOf(t, e))
	}
	require.Contains(t, examples, got, name)
}

func exampleOf(t *testing.T, e *openapi3.ExampleRef) (out refused) {
	t.Helper()
	b, err := json.Marshal(e.Value.Value)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &out))
	return out
}

// refusedToAnybody are requests that a route refuses whatever it is about: without a
// token, of the wrong role, with a body that is none, about what does not exist.
func refusedToAnybody(h *harness, op operation) []asked {
	path := strings.ReplaceAll(op.path, "{id}", nobodys)
	with := func(who *person, status int, body, kind string) asked {
		return asked{op: op, who: who, status: status, method: op.Method, path: path, body: body, kind: kind, header: []string{"Idempotency-Key", "k"}}
	}
	may := h.as(op.Roles[0], "somebody")

	out := []asked{with(nil, 401, "{}", "application/json")}
	for _, role := range []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Admin} {
		if !slices.Contains(op.Roles, role) {
			who := h.as(role, "somebody")
			out = append(out, with(&who, 403, "{}", "application/json"))
		}
	}
	if op.RequestBody != nil {
		out = append(out, with(&may, 413, `{"reason":"`+strings.Repeat("x", 70_000)+`"}`, "application/json"), with(&may, 415, `{"reason":"x"}`, "text/plain"))
	}
	if op.Responses.Value("404") != nil {
		out = append(out, with(&may, 404, `{"reason":"x"}`, "application/json"))
	}
	return out
}

// refusedByState are requests that are refused for what they name, or for the state of
// it.
func refusedByState(t *testing.T, h *harness, ops map[string]operation) (out []asked) {
	t.Helper()
	rita, olga, ana := h.as(auth.Rider, "rita"), h.as(auth.Rider, "olga"), h.as(auth.Driver, "ana")
	feed, admin := h.as(auth.Importer, "feed"), h.as(auth.Admin, "ops")
	add := func(op string, who person, status int, path, body string, header ...string) {
		out = append(out, asked{op: ops[op], who: &who, status: status, method: ops[op].Method, path: path, body: body, kind: "application/json", header: header})
	}

	add("createRide", rita, 400, "/v1/rides", trip)
	add("createRide", rita, 400, "/v1/rides", `{}`, "Idempotency-Key", "k1")
	add("createRide", rita, 400, "/v1/rides", `{"pickup":{"lat":"x"}}`, "Idempotency-Key", "k1")
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
}

// first returns the id of the first ride.
func (h *harness) first(t *testing.T) string {
	t.Helper()
	rides, err := h.store.List(t.Context(), ride.Filter{})
	require.NoError(t, err)
	require.NotEmpty(t, rides)
	return rides[len(rides)-1].ID
}

// TestEveryFieldOfABookingIsChecked sends each member of a booking with another type,
// absurdly large and unknown: each is refused by name or by its type, and no ride is
// made.
func TestEveryFieldOfABookingIsChecked(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	rita := h.as(auth.Rider, "rita")
	place := geo.Point{Lat: -34.9, Lon: -56.16}
	good := func() map[string]any {
		return map[string]any{
			"pickup":  map[string]any{"lat": place.Lat, "lon": place.Lon, "label": "here"},
			"dropoff": map[string]any{"lat": place.Lat - 0.02, "lon": place.Lon, "label": "there"},
		}
	}

	absurd := map[string][]any{
		"lat": {"-34.9", true, []any{-34.9}, map[string]any{}, 91, -1e308, 1e300}, "lon": {"x", false, []any{}, 181, 1e308},
		"label": {7, true, []any{"x"}, map[string]any{}, strings.Repeat("ñ", 101), strings.Repeat("x", 50_000)},
	}
	send := func(body map[string]any, name string, v any) {
		t.Helper()
		resp := rita.send(t, "POST", "/v1/rides", jsonOf(t, body), "Idempotency-Key", "k")
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Contains(t, []int{400, 413}, resp.StatusCode, "%s: %v: %s", name, v, raw)
		require.Regexp(t, `"detail":"[A-Z"].{10,}`, string(raw))
	}

	for _, end := range []string{"pickup", "dropoff"} {
		for _, v := range []any{7, "Plaza", []any{}, true, map[string]any{"lat": place.Lat}, map[string]any{"Lat": place.Lat, "lon": place.Lon}} {
			body := good()
			body[end] = v
			send(body, end, v)
		}
		for field, values := range absurd {
			for _, v := range values {
				body := good()
				body[end].(map[string]any)[field] = v //nolint:forcetypeassert // see good
				send(body, end+"."+field, v)
			}
		}
		body := good()
		body[end].(map[string]any)["altitude"] = 3 //nolint:forcetypeassert // see good
		send(body, end+".altitude", 3)
	}
	for _, v := range []any{7, "otto", []any{}} { // a rider names no rider
		body := good()
		body["rider_id"] = v
		send(body, "rider_id", v)
	}

	rides, err := h.store.List(t.Context(), ride.Filter{})
	require.NoError(t, err)
	require.Empty(t, rides)
}
