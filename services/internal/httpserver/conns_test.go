package httpserver_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// dial connects from one of loopback's addresses.
func (f *fixture) dial(t *testing.T, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Skipf("NOT TESTED: this machine has no second loopback address: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask sends a request over a connection and returns the answer, whose body is read.
func ask(t *testing.T, conn net.Conn) *http.Response {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err := conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp
}

// Connections that say nothing do not keep others out: an address has at most half
// of all, and whoever is refused hears why and for how long.
func TestConnectionsAreBounded(t *testing.T) {
	f := start(t, httpserver.Options{Env: lifecycle.Env{MaxConnections: 8}})
	refused := func(from string, status int) {
		resp := ask(t, f.dial(t, from))
		assert.Equal(t, status, resp.StatusCode, from)
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		require.NoError(t, err, from)
		assert.True(t, 1 <= after && after <= 60, after)
		assert.True(t, resp.Close, "the connection ends")
	}

	silent := f.dial(t, "127.0.0.2")
	for range 3 {
		f.dial(t, "127.0.0.2")
	}
	refused("127.0.0.2", http.StatusTooManyRequests)

	var others []net.Conn
	for range 4 {
		others = append(others, f.dial(t, "127.0.0.3"))
	}
	require.Equal(t, http.StatusOK, ask(t, others[0]).StatusCode, "another address is served")
	refused("127.0.0.4", http.StatusServiceUnavailable)

	require.NoError(t, silent.Close())
	require.Eventually(t, func() bool { return ask(t, f.dial(t, "127.0.0.4")).StatusCode == http.StatusOK }, 30*time.Second, 20*time.Millisecond, "a place is free again")
}

// A proxy's address brings many clients; how many connections it has says nothing.
func TestATrustedProxyMayHaveAllConnections(t *testing.T) {
	f := start(t, httpserver.Options{Env: lifecycle.Env{MaxConnections: 8}, TrustedProxies: []string{"127.0.0.2/32"}})
	for range 8 {
		require.Equal(t, http.StatusOK, ask(t, f.dial(t, "127.0.0.2")).StatusCode)
	}
	require.Equal(t, http.StatusServiceUnavailable, ask(t, f.dial(t, "127.0.0.2")).StatusCode)
}
