package httpserver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
)

// clientOf returns whom a server takes the client for, that has trusted proxies, and
// is asked with these headers.
func clientOf(t *testing.T, trusted []string, header map[string]string) string {
	t.Helper()
	f := start(t, httpserver.Options{TrustedProxies: trusted, Routes: []httpserver.Route{{Method: "GET", Path: "/who", Public: true, Handle: func(c *gin.Context) error {
		c.String(http.StatusOK, httpserver.Client(c.Request))
		return nil
	}}}})

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/who", nil)
	require.NoError(t, err)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	_, _, body := send(t, req)
	return string(body)
}

// X-Forwarded-For is believed from the right, as far as proxies have written it.
func TestForwardedAddressesAreBelievedFromProxiesAlone(t *testing.T) {
	local, all := []string{"127.0.0.0/8"}, []string{"127.0.0.0/8", "10.0.0.0/8"}
	for _, tc := range []struct {
		trusted   []string
		forwarded string
		client    string
	}{
		{nil, "203.0.113.7", "127.0.0.1"}, // anybody can write it
		{[]string{"10.0.0.0/8"}, "203.0.113.7", "127.0.0.1"},
		{local, "", "127.0.0.1"},
		{local, "203.0.113.7", "203.0.113.7"},
		{local, "198.51.100.1, 203.0.113.7", "203.0.113.7"}, // the client wrote the first
		{local, "203.0.113.7, 10.0.0.9", "10.0.0.9"},        // no proxy of ours
		{all, "198.51.100.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"},
		{local, "203.0.113.7, nonsense", "127.0.0.1"},
		{local, "::ffff:203.0.113.7", "203.0.113.7"},
		{local, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"}, // a client has the whole network
	} {
		require.Equal(t, tc.client, clientOf(t, tc.trusted, map[string]string{"X-Forwarded-For": tc.forwarded}), "%v %q", tc.trusted, tc.forwarded)
	}

	err := httpserver.Serve(t.Context(), httpserver.Options{TrustedProxies: []string{"10.0.0.1"}})
	require.ErrorContains(t, err, "--trusted-proxies takes networks")
}

// What the gateway says of its client is believed for its signature.
func TestTheGatewaysWordIsSigned(t *testing.T) {
	key := []byte(strings.Repeat("k", 32)) // start's
	ours, err := auth.NewSigner(key)
	require.NoError(t, err)
	theirs, err := auth.NewSigner([]byte(strings.Repeat("x", 32)))
	require.NoError(t, err)
	token, err := ours.Sign(auth.Identity{Subject: "203.0.113.7", Role: auth.Rider}, time.Minute)
	require.NoError(t, err)

	good := ours.Vouch("203.0.113.7")
	for told, client := range map[string]string{
		good:                                   "203.0.113.7",
		theirs.Vouch("203.0.113.7"):            "127.0.0.1",
		"203.0.113.7":                          "127.0.0.1",
		strings.Replace(good, ".7 ", ".8 ", 1): "127.0.0.1",
		token:                                  "127.0.0.1",
	} {
		require.Equal(t, client, clientOf(t, nil, map[string]string{httpserver.ClientHeader: told}), told)
	}
}

// All viewers have one subject; one of them does not use up what the others may ask.
func TestViewersAreToldApartByAddress(t *testing.T) {
	f := start(t, httpserver.Options{Routes: []httpserver.Route{{
		Method: "GET", Path: "/v1/quote", Roles: []auth.Role{auth.Viewer, auth.Rider, auth.Importer}, Limit: httpserver.Limit{PerSecond: 0.01, Burst: 2},
		PerAddress: httpserver.Limit{PerSecond: 0.01, Burst: 5}, Handle: func(c *gin.Context) error { c.Status(http.StatusNoContent); return nil },
	}}})
	asked := func(address string, id auth.Identity, times int) (last int) {
		for range times {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/v1/quote", nil)
			require.NoError(t, err)
			token, err := f.signer.Sign(id, time.Minute)
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set(httpserver.ClientHeader, f.signer.Vouch(address))
			last, _, _ = send(t, req)
		}
		return last
	}

	viewer := auth.Identity{Subject: "viewer", Role: auth.Viewer}
	require.Equal(t, 204, asked("203.0.113.7", viewer, 2))
	require.Equal(t, 429, asked("203.0.113.7", viewer, 1))
	require.Equal(t, 204, asked("203.0.113.8", viewer, 1), "another viewer")

	rider := func(name string) auth.Identity { return auth.Identity{Subject: name, Role: auth.Rider} }
	require.Equal(t, 204, asked("203.0.113.7", rider("rita"), 2), "who has a name is not the viewer at the same address")
	require.Equal(t, 204, asked("203.0.113.7", rider("otto"), 1))
	require.Equal(t, 429, asked("203.0.113.7", rider("ines"), 1), "the address has asked five times, under whatever name")
	require.Equal(t, 204, asked("203.0.113.8", rider("ines"), 1))
	require.Equal(t, 204, asked("203.0.113.7", auth.Identity{Subject: "feed", Role: auth.Importer}, 20), "an importer acts for many")
}

func TestAnAddressWithoutAServerIsTheConnections(t *testing.T) {
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	req.RemoteAddr = "[2001:db8::1]:80"
	require.Equal(t, "2001:db8::/64", httpserver.Client(req))
}
