package notification

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/test/apitest"
)

// TestTheDescribedAnswersHappen provokes what docs/openapi.yaml says of the service's
// routes.
func TestTheDescribedAnswersHappen(t *testing.T) {
	t.Parallel()
	v, sms, h := verification(t)
	h.lab.allowed = true
	api := apitest.Serve(t, v.keyed, routes(h.store, v, h.lab))
	rider := func(name string) auth.Identity { return auth.Identity{Role: auth.Rider, Subject: name} }
	ana, bea, eva, ops := rider("ana"), rider("bea"), rider("eva"), auth.Identity{Role: auth.Admin, Subject: "ops"}
	leaves(t, v, "eva", "+59899111111")
	require.NoError(t, v.send(t.Context(), "eva"))

	const phone, code = `{"phone":"+59899123456","language":"es"}`, `{"code":"123456"}`
	api.RefusesWrongInput(t, []apitest.Request{
		{Op: "putContact", Who: ana, Body: phone}, {Op: "verifyContact", Who: eva, Body: code},
		{Op: "inbox", Who: ana, Path: "/v1/inbox"}, {Op: "deliveries", Who: ops, Path: "/v1/deliveries?ride_id=" + apitest.Nobodys},
		{Op: "turnDoubleSMS", Who: ops, Body: `{"on":true}`},
	}, func() any {
		var kept string
		require.NoError(t, h.store.pool.QueryRow(t.Context(),
			`SELECT coalesce((SELECT json_agg(c) FROM notification.contacts c)::text, '') || coalesce((SELECT json_agg(k) FROM notification.codes k)::text, '')`).Scan(&kept))
		return []any{kept, h.lab.until.Load(), len(sms.sent)}
	})

	ride := newRide()
	requests := []apitest.Request{
		{Op: "getContact", Who: ana, Status: 200}, // who has left none
		{Op: "sendCode", Who: ana, Status: 409},
		{Op: "verifyContact", Who: ana, Status: 410, Body: code},
		{Op: "putContact", Who: ana, Status: 200, Body: phone},
		{Op: "putContact", Who: ana, Status: 400, Body: `{"phone":"911","language":"es"}`},
		{Op: "putContact", Who: ana, Status: 400, Body: `{"phone":"","language":"fr"}`},
		{Op: "putContact", Who: ana, Status: 400, Body: `{"phone":"","language":"es","verified":true}`},
		{Op: "sendCode", Who: ana, Status: 204},
		{Op: "verifyContact", Who: bea, Status: 410, Before: func(r *apitest.Request) { r.Body = `{"code":"` + sms.code(t) + `"}` }}, // another's
		{Op: "verifyContact", Who: ana, Status: 400, Before: func(r *apitest.Request) { r.Body = `{"code":"` + other(sms.code(t)) + `"}` }},
		{Op: "verifyContact", Who: ana, Status: 200, Before: func(r *apitest.Request) { r.Body = `{"code":"` + sms.code(t) + `"}` }},
		{Op: "sendCode", Who: ana, Status: 409},

		{Op: "inbox", Who: ana, Status: 200}, // which is empty
		{Op: "deliveries", Who: ops, Status: 200, Path: "/v1/deliveries?ride_id=" + ride},
		{Op: "inbox", Who: ana, Status: 200, Before: func(*apitest.Request) {
			require.Equal(t, sqsworker.Done(), h.handle(t.Context(), message(t, event.TypeRideArrived, "ana", ride)))
		}},
		{Op: "inbox", Who: ana, Status: 400, Path: "/v1/inbox?after=x"},
		{Op: "deliveries", Who: ops, Status: 200, Path: "/v1/deliveries?ride_id=" + ride},
		{Op: "deliveries", Who: ops, Status: 400, Path: "/v1/deliveries?ride_id=x"},
		{Op: "turnDoubleSMS", Who: ops, Status: 200, Body: `{"on":true}`},
		{Op: "turnDoubleSMS", Who: ops, Status: 200, Body: `{"on":false}`},
		{Op: "turnDoubleSMS", Who: ops, Status: 400, Body: `{}`},
		{Op: "sendCode", Who: eva, Status: 503, Before: func(*apitest.Request) { sms.away = 1 }},
		{Op: "sendCode", Who: eva, Status: 400, Before: func(*apitest.Request) { sms.err = errNeverDelivered }},
	}
	api.Provoke(t, requests, map[string]string{
		"429": "httpserver's tests have the limits, and TestWhatAClientIsToldOfCodes the cap of codes",
		"503": "httpserver's tests take dependencies away",
	})
}
