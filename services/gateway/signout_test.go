package gateway_test

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

func TestSigningOutEndsEverythingOfThePerson(t *testing.T) {
	base, _ := start(t, true)
	b := newBrowser(t, base)
	own := map[string]string{"Origin": base}
	_, who := b.send(t, "POST", "/session/rider", own, "")
	_, other := b.send(t, "POST", "/session/driver", own, "")
	require.NotEmpty(t, other["subject"])

	_, out := b.send(t, "POST", "/rider/v1/socket-ticket", own, "")
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(base, "http", "ws", 1)+"/rider/socket?hold=1&ticket="+out["ticket"], nil)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	var hello map[string]string
	require.NoError(t, conn.ReadJSON(&hello))
	require.Equal(t, who["subject"], hello["subject"])
	_, unused := b.send(t, "POST", "/rider/v1/socket-ticket", own, "")

	status, _ := b.send(t, "DELETE", "/session/rider", own, "")
	require.Equal(t, 204, status)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	_, _, err = conn.ReadMessage()
	var slow net.Error
	require.Error(t, err)
	require.NotErrorAs(t, err, &slow, "the socket has ended, and not the patience")

	status, _ = b.send(t, "GET", "/rider/socket?ticket="+unused["ticket"], nil, "")
	require.Equal(t, 401, status, "a ticket of before")
	status, _ = b.send(t, "GET", "/driver/v1/drivers/me", nil, "")
	require.Equal(t, 200, status, "another person's, of the same browser")
}

// A refresh token and a cookie are both secrets of 30 days; neither is the other.
func TestACookieIsNoRefreshToken(t *testing.T) {
	base, _ := start(t, true)
	b := newBrowser(t, base)
	_, _ = b.send(t, "POST", "/session/rider", map[string]string{"Origin": base}, "")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/rider/", nil)
	require.NoError(t, err)
	cookie := b.Jar.Cookies(req.URL)[0].Value
	status, _ := b.send(t, "POST", "/v1/tokens", nil, `{"refresh_token":"`+cookie+`"}`)
	require.Equal(t, 401, status)

	_, program := b.send(t, "POST", "/v1/tokens", nil, `{"role":"rider"}`)
	stranger := newBrowser(t, base)
	status, _ = stranger.send(t, "GET", "/rider/v1/rides", map[string]string{"Cookie": "tandem_rider=" + program["refresh_token"]}, "")
	require.Equal(t, 401, status)
}

// What a client sends wrongly is no fault of the service behind.
func TestABadChunkIsTheClients(t *testing.T) {
	base, signer := start(t, false)
	_ = signer
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("POST /v1/rides HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"))
	require.NoError(t, err)

	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, 400, resp.StatusCode)
}

func TestTheGatewaysMetricsAreNobodysBusiness(t *testing.T) {
	base, _ := start(t, false)
	status, _ := newBrowser(t, base).send(t, "GET", "/metrics", nil, "")
	require.Equal(t, 401, status)
}
