package httpserver_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/problem"
)

// A page whose name leads to this machine (DNS rebinding) sends that name as its
// Host and as its Origin: both are held against the list, never against each other.
func TestOnlyKnownHostsAndOriginsAreServed(t *testing.T) {
	f := start(t, httpserver.Options{})
	port := f.url[strings.LastIndex(f.url, ":"):]

	for _, tc := range []struct {
		host, origin string
		status       int
	}{
		{"127.0.0.1" + port, "", 200},
		{"localhost" + port, "", 200},
		{"LOCALHOST." + port, "", 200},
		{"[::1]" + port, "", 200},
		{"127.0.0.1:9999", "", 200}, // a forwarded port
		{"evil.example" + port, "", 421},
		{"evil.example" + port, "http://evil.example" + port, 421},
		{"127.0.0.1.evil.example" + port, "", 421},
		{"0.0.0.0" + port, "", 421},
		{"localhost" + port, "http://localhost" + port, 200},
		{"localhost" + port, "http://127.0.0.1" + port, 200},
		{"localhost" + port, "http://evil.example" + port, 403},
		{"localhost" + port, "http://localhost:9999", 403}, // another program of this machine
		{"localhost:9999", "http://localhost:9999", 403},
		{"localhost" + port, "http://localhost", 403},
		{"localhost" + port, "file://localhost" + port, 403},
		{"localhost" + port, "null", 403},
	} {
		status, body := f.as(t, tc.host, tc.origin)
		assert.Equal(t, tc.status, status, "host %s, origin %s: %s", tc.host, tc.origin, body)
	}

	_, body := f.as(t, "evil.example", "")
	require.Contains(t, body, "--allow-host", "it says what to do")
	require.Contains(t, body, string(problem.Misdirected))
}

func TestNamedHosts(t *testing.T) {
	f := start(t, httpserver.Options{Env: lifecycle.Env{Hosts: []string{"Tandem.example.com", "127.0.0.1:9090", "booking"}}})
	port := f.url[strings.LastIndex(f.url, ":"):]

	for _, tc := range []struct {
		host, origin string
		status       int
	}{
		{"booking:8080", "", 200},
		{"tandem.example.com", "https://tandem.example.com", 200}, // behind a proxy with TLS
		{"tandem.example.com", "http://tandem.example.com" + port, 200},
		{"tandem.example.com", "https://tandem.example.com:444", 403},
		{"tandem.example.com", "https://sub.tandem.example.com", 403},
		{"127.0.0.1:9090", "http://127.0.0.1:9090", 200}, // a published port
		{"127.0.0.1:9090", "http://127.0.0.1:9091", 403},
		{"console:8080", "", 421},
	} {
		status, body := f.as(t, tc.host, tc.origin)
		assert.Equal(t, tc.status, status, "host %s, origin %s: %s", tc.host, tc.origin, body)
	}

	for _, bad := range []string{"", "http://tandem.example.com", "*.example.com", "a b"} {
		_, err := httpserver.NewHosts([]string{bad})
		require.ErrorContains(t, err, "is not a host", bad)
	}
}

// On all addresses, the one that the client has connected to is the server's own.
func TestTheAddressConnectedToIsKnown(t *testing.T) {
	hosts, err := httpserver.NewHosts(nil)
	require.NoError(t, err)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil)
	req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 8080}))

	for host, known := range map[string]bool{"10.0.0.7:8080": true, "[::ffff:10.0.0.7]:80": true, "10.0.0.8:8080": false, "": false} {
		req.Host = host
		require.Equal(t, known, hosts.Known(req), host)
	}
}

// as asks for /healthz under a name, from a page.
func (f *fixture) as(t *testing.T, host, origin string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/healthz", nil)
	require.NoError(t, err)
	req.Host = host
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	status, _, body := send(t, req)
	return status, string(body)
}
