package gateway_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/gateway"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/test/apitest"
	"tandem/services/test/testenv"
)

// TestTheDescribedAnswersHappen provokes what docs/openapi.yaml says of the gateway's
// routes, and of the doors that it answers itself.
func TestTheDescribedAnswersHappen(t *testing.T) {
	t.Parallel()
	signer, err := auth.NewSigner([]byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"))
	require.NoError(t, err)
	dbURL, pool := testenv.Database(t, gateway.Schema())
	base := replica(t, dbURL, signer)
	api := apitest.At(t, base, signer, append(gateway.Routes(),
		httpserver.Route{Method: http.MethodPost, Path: "/:role/v1/socket-ticket", Public: true},
		httpserver.Route{Method: http.MethodGet, Path: "/:role/socket", Public: true}))

	key := []string{"X-Operator-Key", operatorKey}
	api.RefusesWrongInput(t, []apitest.Request{
		{Op: "createToken", Header: key, Body: `{"role":"rider","subject":"rita"}`},
		{Op: "createToken", Body: `{"refresh_token":"x"}`},
	}, func() any {
		var n int
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM account.accounts`).Scan(&n))
		return n
	})

	browser := newBrowser(t, base)
	own := []string{"Origin", base}
	status, _ := browser.send(t, http.MethodPost, "/session/rider", map[string]string{"Origin": base}, "")
	require.Equal(t, http.StatusOK, status)
	signedIn := append([]string{}, own...)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/session/rider", nil)
	require.NoError(t, err)
	for _, c := range browser.Jar.Cookies(req.URL) {
		signedIn = append(signedIn, "Cookie", c.String())
	}
	handshake := append([]string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEA=="}, own...)
	ticket := func(r *apitest.Request) {
		status, got := browser.send(t, http.MethodPost, "/viewer/v1/socket-ticket", map[string]string{"Origin": base}, "")
		require.Equal(t, http.StatusOK, status)
		r.Path = "/viewer/socket?ticket=" + got["ticket"]
	}

	api.Provoke(t, []apitest.Request{
		{Op: "createToken", Status: 200, Body: `{"role":"rider"}`},
		{Op: "createToken", Status: 200, Body: `{"role":"viewer"}`},
		{Op: "createToken", Status: 200, Body: `{"role":"admin","subject":"ops"}`, Header: key},
		{Op: "createToken", Status: 400, Body: `{"role":"pilot"}`},
		{Op: "createToken", Status: 400, Body: `{"role":"rider","subject":"rita"}`},
		{Op: "createToken", Status: 400, Body: `{"role":"rider","refresh_token":"x"}`},
		{Op: "createToken", Status: 401, Body: `{"refresh_token":"x"}`},
		{Op: "createToken", Status: 403, Body: `{"role":"admin"}`},
		{Op: "createToken", Status: 403, Body: `{"role":"admin","subject":"ops"}`, Header: []string{"X-Operator-Key", "guess"}},
		{Op: "whoAmI", Status: 204, Path: "/session/driver"},
		{Op: "whoAmI", Status: 200, Path: "/session/rider", Header: signedIn},
		{Op: "whoAmI", Status: 404, Path: "/session/pilot"},
		{Op: "signIn", Status: 200, Path: "/session/driver", Header: own},
		{Op: "signIn", Status: 403, Path: "/session/driver"},
		{Op: "signIn", Status: 403, Path: "/session/admin", Header: own},
		{Op: "signIn", Status: 404, Path: "/session/pilot", Header: own},
		{Op: "socketTicket", Status: 200, Path: "/rider/v1/socket-ticket", Header: signedIn},
		{Op: "socketTicket", Status: 401, Path: "/rider/v1/socket-ticket", Header: own},
		{Op: "socketTicket", Status: 403, Path: "/rider/v1/socket-ticket"},
		{Op: "socket", Status: 101, Header: handshake, Before: ticket},
		{Op: "socket", Status: 401, Path: "/viewer/socket?ticket=x", Header: handshake},
		{Op: "signOut", Status: 403, Path: "/session/rider"},
		{Op: "signOut", Status: 404, Path: "/session/pilot", Header: own},
		{Op: "signOut", Status: 204, Path: "/session/rider", Header: signedIn},
	}, map[string]string{
		"socket 400": "mapfeed's test asks it for no socket",
		"429":        "abuse_test.go and httpserver's tests have the limits", "503": "proxy_test.go and httpserver's tests take services away",
	})
}
