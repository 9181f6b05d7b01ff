package booking_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/booking"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/test/apitest"
	"tandem/services/test/testenv"
)

const patience, look = 20 * time.Second, 20 * time.Millisecond

// harness is a booking service on a Postgres and an emulator of its own. There is
// no dispatch: tests offer by themselves.
type harness struct {
	base   string
	signer *auth.Signer
	store  *ride.Store
	pool   *pgxpool.Pool
	sqs    *sqs.Client
	api    *apitest.API
	http   http.Client
	stop   context.CancelFunc // begins the drain
}

func start(t *testing.T, times profile.Profile, change ...func(*booking.Config)) *harness {
	t.Helper()
	url, pool := testenv.Database(t, ride.Schemas()...)
	awsConfig := testenv.Emulator(t)
	sdk, err := awsclient.New(t.Context(), awsConfig)
	require.NoError(t, err)
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	env := lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	cfg := booking.Config{DatabaseURL: url, AWS: awsConfig, Auth: signer, Profile: times}
	for _, c := range change {
		c(&cfg)
	}
	go func() { ended <- booking.Run(ctx, env, cfg) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})

	api := apitest.At(t, "http://"+l.Addr().String(), signer, booking.Routes())
	return &harness{
		base: api.Base, signer: signer, store: ride.NewStore(pool, times), pool: pool,
		sqs: sqs.NewFromConfig(sdk), api: api, http: http.Client{Transport: api}, stop: cancel,
	}
}

// person is somebody who sends requests.
type person struct {
	h  *harness
	id auth.Identity
}

func (h *harness) as(role auth.Role, subject string) person {
	return person{h, auth.Identity{Role: role, Subject: subject}}
}

func (p person) send(t *testing.T, method, path, body string, header ...string) *http.Response {
	t.Helper()
	return p.sendWithin(t, t.Context(), method, path, body, header...)
}

func (p person) sendWithin(t *testing.T, ctx context.Context, method, path, body string, header ...string) *http.Response { //nolint:revive // t comes first
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, p.h.base+path, strings.NewReader(body))
	require.NoError(t, err)

	token, err := p.h.signer.Sign(p.id, time.Minute)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}

	resp, err := p.h.http.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// ask sends a request, requires the status and returns the answer.
func ask[T any](t *testing.T, p person, status int, method, path, body string, header ...string) T {
	t.Helper()
	resp := p.send(t, method, path, body, header...)
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, status, resp.StatusCode, "%s %s: %s", method, path, raw)
	var out T
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

type refused struct {
	Code  string `json:"code"`
	Field string `json:"field"`
}

func TestADriverReadsItsOwnEarnings(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	ana, bo := h.as(auth.Driver, "ana"), h.as(auth.Driver, "bo")
	r := h.as(auth.Rider, "rita").book(t, "k1")
	_, err := h.pool.Exec(t.Context(), `UPDATE ride.rides SET driver_id = 'ana', state = 'completed', ended_at = now(), wake_at = NULL WHERE id = $1`, r.ID)
	require.NoError(t, err)

	const path = "/v1/drivers/me/earnings"
	require.Equal(t, r.Price, ask[ride.Earnings](t, ana, 200, "GET", path, "").Total)
	require.Zero(t, ask[ride.Earnings](t, bo, 200, "GET", path, "").Rides)
	require.Equal(t, "forbidden", ask[refused](t, bo, 403, "GET", path+"?driver_id=ana", "").Code)
	require.Equal(t, 1, ask[ride.Earnings](t, h.as(auth.Importer, "feed"), 200, "GET", path+"?driver_id=ana", "").Rides)
}

const trip = `{"pickup":{"lat":-34.9065,"lon":-56.1995,"label":"Plaza"},"dropoff":{"lat":-34.9011,"lon":-56.1645}}`

func (p person) book(t *testing.T, key string) ride.Ride {
	t.Helper()
	return ask[ride.Ride](t, p, 201, "POST", "/v1/rides", trip, "Idempotency-Key", key)
}

// frames reads server-sent events until the stream ends: kinds and data.
func frames(t *testing.T, resp *http.Response) (next func() (kind, data string, ok bool)) {
	t.Helper()
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))

	lines := bufio.NewScanner(resp.Body)
	return func() (kind, data string, ok bool) {
		for lines.Scan() {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); {
			case name == "event":
				kind = value
			case name == "data":
				data = value
			case lines.Text() == "" && kind != "":
				return kind, data, true
			}
		}
		return "", "", false
	}
}

func TestARideFromTheBookingToTheReceipt(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	rita, ana, admin := h.as(auth.Rider, "rita"), h.as(auth.Driver, "ana"), h.as(auth.Admin, "ops")
	app := frames(t, ana.send(t, "GET", "/v1/drivers/me/events", ""))

	// A state may come twice; state waits for the first one that matches.
	state := func(matches func(ride.DriverState) bool) (st ride.DriverState) {
		t.Helper()
		for {
			kind, data, ok := app()
			require.True(t, ok && kind == "state")
			st = ride.DriverState{}
			require.NoError(t, json.Unmarshal([]byte(data), &st))
			if matches(st) {
				return st
			}
		}
	}

	state(func(st ride.DriverState) bool { return !st.OnDuty })
	require.True(t, ask[ride.DriverState](t, ana, 200, "PUT", "/v1/drivers/me/duty", `{"on_duty":true}`).OnDuty)
	state(func(st ride.DriverState) bool { return st.OnDuty })

	r := rita.book(t, "k1")
	require.Eventually(t, func() bool {
		events, err := h.store.Events(t.Context(), r.ID, 0, 10)
		return err == nil && len(events) == 2
	}, patience, look, "its request is queued")

	history := frames(t, rita.send(t, "GET", "/v1/rides/"+r.ID+"/events", "", "Accept", "text/event-stream"))
	offered, err := h.store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "ana", Attempt: 1}, "worker w1")
	require.NoError(t, err)
	seen := state(func(st ride.DriverState) bool { return st.Offer != nil })
	require.Equal(t, offered.Offer.ID, seen.Offer.ID)
	require.Equal(t, r.ID, seen.Offer.Ride.ID)

	mine := ask[ride.Ride](t, rita, 200, "GET", "/v1/rides/"+r.ID, "")
	require.Empty(t, mine.DriverID, "until she has accepted, the rider does not know who is asked")
	require.Nil(t, mine.Offer)

	ask[refused](t, ana, 409, "PUT", "/v1/drivers/me/duty", `{"on_duty":false}`)
	ask[refused](t, h.as(auth.Driver, "eve"), 404, "POST", "/v1/offers/"+offered.Offer.ID+"/accept", "")
	ask[refused](t, h.as(auth.Driver, "eve"), 404, "GET", "/v1/rides/"+r.ID, "")
	ask[refused](t, h.as(auth.Rider, "eve"), 404, "GET", "/v1/rides/"+r.ID+"/events", "")

	for range 2 { // the first answer may have been lost: the second is the same
		taken := ask[ride.Ride](t, ana, 200, "POST", "/v1/offers/"+offered.Offer.ID+"/accept", "")
		require.Equal(t, ride.Assigned, taken.State)
	}

	ask[refused](t, ana, 409, "POST", "/v1/rides/"+r.ID+"/drop-off", "")
	for _, step := range []string{"arrive", "pick-up", "drop-off"} {
		ask[ride.Ride](t, ana, 200, "POST", "/v1/rides/"+r.ID+"/"+step, "")
	}
	ask[refused](t, rita, 409, "POST", "/v1/rides/"+r.ID+"/cancel", `{"reason":"late"}`)
	ask[refused](t, admin, 409, "POST", "/v1/rides/"+r.ID+"/end", `{"reason":"lost"}`)

	require.NoError(t, h.store.Deleted(t.Context(), r.ID, "m1", "w1"))

	var kinds []string
	for {
		kind, data, ok := history()
		if !ok {
			break // it ends by itself: the ride has ended and its message is gone
		}
		if kind == "offered" {
			require.NotContains(t, data, "ana")
		}
		kinds = append(kinds, kind)
	}
	require.Equal(t, []string{"requested", "queued", "offered", "assigned", "arrived", "picked_up", "completed", "deleted"}, kinds)

	type page struct {
		Events []ride.Event `json:"events"`
		Next   int64        `json:"next"`
	}
	all := ask[page](t, admin, 200, "GET", "/v1/rides/"+r.ID+"/events", "")
	require.Len(t, all.Events, 8)
	require.Equal(t, all.Events[7].Seq, all.Next)
	require.Len(t, ask[page](t, admin, 200, "GET", "/v1/rides/"+r.ID+"/events", "", "Last-Event-ID", jsonOf(t, all.Events[6].Seq)).Events, 1)
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestOneKeyIsOneRide(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Default()) // whose lock time-out 40 at once stay below on any machine
	rita := h.as(auth.Rider, "rita")
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids, replays := map[string]bool{}, 0
	for range 40 {
		wg.Go(func() {
			resp := rita.send(t, "POST", "/v1/rides", trip, "Idempotency-Key", "same")
			var r ride.Ride
			if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[r.ID] = true
			if resp.Header.Get("Idempotency-Replayed") == "true" {
				replays++
			}
		})
	}
	wg.Wait()

	require.Len(t, ids, 1)
	require.Equal(t, 39, replays)

	other := strings.Replace(trip, "-56.1645", "-56.1646", 1)
	require.Equal(t, "Idempotency-Key", ask[refused](t, rita, 422, "POST", "/v1/rides", other, "Idempotency-Key", "same").Field)

	spaced := strings.ReplaceAll(trip, ",", " ,\n")
	require.True(t, ids[ask[ride.Ride](t, rita, 201, "POST", "/v1/rides", spaced, "Idempotency-Key", "same").ID], "the same, however it is written")
	require.False(t, ids[h.as(auth.Rider, "otto").book(t, "same").ID], "a key belongs to one rider")
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	rita, ana, feed, admin := h.as(auth.Rider, "rita"), h.as(auth.Driver, "ana"), h.as(auth.Importer, "feed"), h.as(auth.Admin, "ops")
	place := func(lat, lon string) string { return `{"lat":` + lat + `,"lon":` + lon + `}` }
	pair := func(a, b string) string { return `{"pickup":` + a + `,"dropoff":` + b + `}` }
	here, there := place("-34.9", "-56.16"), place("-34.91", "-56.17")
	long := strings.Repeat("x", 300)

	for _, tc := range []struct {
		name         string
		who          person
		status       int
		method, path string
		body, field  string
		key          string
	}{
		{"no key", rita, 400, "POST", "/v1/rides", pair(here, there), "Idempotency-Key", ""},
		{"key too long", rita, 400, "POST", "/v1/rides", pair(here, there), "Idempotency-Key", long},
		{"same ends", rita, 400, "POST", "/v1/rides", pair(here, here), "dropoff", "k"},
		{"no place", rita, 400, "POST", "/v1/rides", pair(place("-91", "0"), there), "pickup", "k"},
		{"nothing said", rita, 400, "POST", "/v1/rides", pair(here, `{}`), "dropoff.lat", "k"},
		{"too far", rita, 400, "POST", "/v1/rides", pair(here, place("40.7", "-74")), "dropoff", "k"},
		{"label too long", rita, 400, "POST", "/v1/rides", pair(here, `{"lat":-34.8,"lon":-56.1,"label":"`+long+`"}`), "dropoff.label", "k"},
		{"NUL in a label", rita, 400, "POST", "/v1/rides", pair(here, `{"lat":-34.8,"lon":-56.1,"label":"a\u0000b"}`), "", "k"},
		{"a key that is not UTF-8", rita, 400, "POST", "/v1/rides", pair(here, there), "Idempotency-Key", "\xff\xfe"},
		{"for another", rita, 400, "POST", "/v1/rides", `{"rider_id":"otto","pickup":` + here + `,"dropoff":` + there + `}`, "rider_id", "k"},
		{"for nobody", feed, 400, "POST", "/v1/rides", pair(here, there), "rider_id", "k"},
		{"unknown member", rita, 400, "POST", "/v1/rides", `{"tip":1}`, "tip", "k"},
		{"a driver does not book", ana, 403, "POST", "/v1/rides", pair(here, there), "", "k"},
		{"a rider has no duty", rita, 403, "PUT", "/v1/drivers/me/duty", `{"on_duty":true}`, "", ""},
		{"duty of another", ana, 403, "PUT", "/v1/drivers/me/duty", `{"on_duty":true,"driver_id":"eve"}`, "", ""},
		{"duty unsaid", ana, 400, "PUT", "/v1/drivers/me/duty", `{}`, "on_duty", ""},
		{"the fleet is the importer's", admin, 403, "GET", "/v1/drivers/events?prefix=a", "", "", ""},
		{"a viewer sees no ride", h.as(auth.Viewer, "v"), 403, "GET", "/v1/rides", "", "", ""},
		{"unknown state", rita, 400, "GET", "/v1/rides?state=flying", "", "state", ""},
		{"limit", rita, 400, "GET", "/v1/rides?limit=0", "", "limit", ""},
		{"after is no ride", rita, 400, "GET", "/v1/rides?after=x", "", "after", ""},
		{"no such ride", rita, 404, "GET", "/v1/rides/019b0000-0000-7000-8000-000000000000", "", "", ""},
		{"no ride's id", rita, 404, "GET", "/v1/rides/x", "", "", ""},
		{"no such offer", ana, 404, "POST", "/v1/offers/x/accept", "", "", ""},
		{"end needs a reason", admin, 400, "POST", "/v1/rides/x/end", `{}`, "reason", ""},
		{"quote without an end", rita, 400, "GET", "/v1/quote?pickup=-34.9,-56.1", "", "dropoff", ""},
		{"quote of no number", rita, 400, "GET", "/v1/quote?pickup=NaN,1&dropoff=1,1", "", "pickup", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := []string{}
			if tc.key != "" {
				header = append(header, "Idempotency-Key", tc.key)
			}

			require.Equal(t, tc.field, ask[refused](t, tc.who, tc.status, tc.method, tc.path, tc.body, header...).Field)
		})
	}
}

// The fleet's stream answers at once, and after the listener lost its connection
// it sends every driver's state: any change may have been missed.
func TestTheFleetsStreamMissesNothing(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	for _, d := range []string{"fleet-a", "fleet-b", "other"} {
		_, err := h.store.SetDuty(t.Context(), d, true)
		require.NoError(t, err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), heartbeatOver)
	defer cancel()
	resp := h.as(auth.Importer, "feed").sendWithin(t, ctx, "GET", "/v1/drivers/events?prefix=fleet-", "", "Accept", "text/event-stream")
	require.Equal(t, http.StatusOK, resp.StatusCode)

	_, err := h.pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`)
	require.NoError(t, err)
	next := frames(t, resp)
	seen := map[string]bool{}
	for len(seen) < 2 {
		_, data, ok := next()
		require.True(t, ok, "the stream has ended")
		var st ride.DriverState
		require.NoError(t, json.Unmarshal([]byte(data), &st))
		require.True(t, strings.HasPrefix(st.DriverID, "fleet-"), st.DriverID)
		seen[st.DriverID] = true
	}
}

// heartbeatOver is before the first heartbeat of a stream: what comes by then was
// not sent along with it.
const heartbeatOver = 12 * time.Second

func TestLateAndCancelledOffersAreGone(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	ana, rita := h.as(auth.Driver, "ana"), h.as(auth.Rider, "rita")
	ask[ride.DriverState](t, ana, 200, "PUT", "/v1/drivers/me/duty", `{"on_duty":true}`)
	offer := func(key string) ride.Ride {
		r, err := h.store.Do(t.Context(), rita.book(t, key).ID, ride.Action{Kind: ride.ActOffer, Driver: "ana"}, "worker w1")
		require.NoError(t, err)
		return r
	}

	late := offer("late")
	_, err := h.pool.Exec(t.Context(), `UPDATE ride.offers SET expires_at = now() - interval '1 ms' WHERE id = $1`, late.Offer.ID)
	require.NoError(t, err)
	ask[refused](t, ana, 410, "POST", "/v1/offers/"+late.Offer.ID+"/accept", "")
	ask[ride.Ride](t, ana, 200, "POST", "/v1/offers/"+late.Offer.ID+"/refuse", "")

	off := offer("cancelled")
	require.Equal(t, ride.Cancelled, ask[ride.Ride](t, rita, 200, "POST", "/v1/rides/"+off.ID+"/cancel", "").State)
	ask[refused](t, ana, 410, "POST", "/v1/offers/"+off.Offer.ID+"/accept", "")
	ask[refused](t, ana, 410, "POST", "/v1/offers/"+off.Offer.ID+"/refuse", "")
	require.Nil(t, ask[ride.DriverState](t, ana, 200, "GET", "/v1/drivers/me", "").Offer)
}

func TestPlacesAndQuotes(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	viewer := h.as(auth.Viewer, "viewer")
	type quote struct {
		DistanceM int64      `json:"distance_m"`
		DurationS int64      `json:"duration_s"`
		Price     ride.Money `json:"price"`
		Direct    bool       `json:"direct"`
	}
	town := ask[quote](t, viewer, 200, "GET", "/v1/quote?pickup=-34.9065,-56.1995&dropoff=-34.9011,-56.1645", "")
	require.False(t, town.Direct)
	require.Greater(t, town.DistanceM, int64(3200), "streets are longer than the air")

	porto := ask[quote](t, viewer, 200, "GET", "/v1/quote?pickup=41.15,-8.61&dropoff=41.16,-8.60", "")
	require.True(t, porto.Direct)
	require.Equal(t, "UYU", porto.Price.Currency)

	ask[map[string]any](t, viewer, 200, "GET", "/v1/route?from=-34.9065,-56.1995&to=-34.9011,-56.1645", "")
	near := ask[ride.Place](t, viewer, 200, "GET", "/v1/places/near?lat=-34.9065&lon=-56.1995", "")
	require.NotEmpty(t, near.Label)
	found := ask[struct{ Places []ride.Place }](t, viewer, 200, "GET", "/v1/places?q=18+de+julio", "")
	require.NotEmpty(t, found.Places)

	feed, rita := h.as(auth.Importer, "feed"), h.as(auth.Rider, "rita")
	body := strings.Replace(trip, `{"pickup"`, `{"rider_id":"rita","pickup"`, 1)
	var ids []string
	for _, key := range []string{"a", "b", "c"} {
		ids = append([]string{ask[ride.Ride](t, feed, 201, "POST", "/v1/rides", body, "Idempotency-Key", key).ID}, ids...)
	}
	type page struct {
		Rides []ride.Ride `json:"rides"`
		Next  string      `json:"next"`
	}

	first := ask[page](t, rita, 200, "GET", "/v1/rides?limit=2&state=requested", "")
	rest := ask[page](t, rita, 200, "GET", "/v1/rides?limit=2&after="+first.Next, "")
	require.Equal(t, ids, idsOf(append(first.Rides, rest.Rides...)), "newest first")
	require.Empty(t, rest.Next)
	require.Empty(t, ask[page](t, h.as(auth.Rider, "otto"), 200, "GET", "/v1/rides", "").Rides)
}

func idsOf(rides []ride.Ride) (out []string) {
	for _, r := range rides {
		out = append(out, r.ID)
	}
	return out
}
