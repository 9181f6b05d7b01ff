package gateway_test

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"tandem/services/gateway"
	"tandem/services/internal/auth"
	"tandem/services/test/testenv"
)

func TestSigningOutEndsEverythingOfThePerson(t *testing.T) {
	base, _ := start(t, true)
	b := newBrowser(t, base)
	own := map[string]string{"Origin": base}
	_, who := b.send(t, "POST", "/session/rider", own, "")
	_, other := b.send(t, "POST", "/session/driver", own, "")
	require.NotEmpty(t, other["subject"])

	_, out := b.send(t, "POST", "/rider/v1/socket-ticket", own, "")
	conn := openSocket(t, base+"/rider/socket?ticket="+out["ticket"], who["subject"], nil)
	_, unused := b.send(t, "POST", "/rider/v1/socket-ticket", own, "")

	status, _ := b.send(t, "DELETE", "/session/rider", own, "")
	require.Equal(t, 204, status)
	requireEnded(t, conn)

	status, _ = b.send(t, "GET", "/rider/socket?ticket="+unused["ticket"], nil, "")
	require.Equal(t, 401, status, "a ticket of before")
	status, _ = b.send(t, "GET", "/driver/v1/drivers/me", nil, "")
	require.Equal(t, 200, status, "another person's, of the same browser")
}

// At another gateway the person has a socket, an answer that is on its way, and a
// cookie that is remembered: all of it has ended within 5 s.
func TestSigningOutReachesOtherGateways(t *testing.T) {
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	dbURL, _ := testenv.Database(t, gateway.Schema())
	here, there := replica(t, dbURL, signer), replica(t, dbURL, signer)

	b := newBrowser(t, here)
	_, who := b.send(t, "POST", "/session/rider", map[string]string{"Origin": here}, "")
	elsewhere := &browser{Client: b.Client, base: there} // cookies know no ports
	status, _ := elsewhere.send(t, "GET", "/rider/v1/rides", nil, "")
	require.Equal(t, 200, status, "from now on it is remembered there")

	_, out := elsewhere.send(t, "POST", "/rider/v1/socket-ticket", map[string]string{"Origin": there}, "")
	socket := openSocket(t, there+"/rider/socket?ticket="+out["ticket"], who["subject"], nil)
	token, err := signer.Sign(auth.Identity{Role: auth.Rider, Subject: who["subject"]}, time.Minute)
	require.NoError(t, err)
	program := openSocket(t, there+"/v1/map", who["subject"], http.Header{"Authorization": {"Bearer " + token}})
	_, other := newBrowser(t, there).send(t, "POST", "/v1/tokens", nil, `{"role":"rider"}`)
	stays := openSocket(t, there+"/v1/map", other["subject"], http.Header{"Authorization": {"Bearer " + other["token"]}})

	status, _ = elsewhere.send(t, "GET", "/rider/v1/rides", nil, "")
	require.Equal(t, 200, status)
	cookie := "tandem_rider=" + b.Jar.Cookies(&url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/rider/"})[0].Value
	status, _ = b.send(t, "DELETE", "/session/rider", map[string]string{"Origin": here}, "")
	require.Equal(t, 204, status)
	signedOut := time.Now()

	requireEnded(t, socket)
	requireEnded(t, program)
	stranger := newBrowser(t, there)
	require.Eventually(t, func() bool {
		status, _ := stranger.send(t, "GET", "/rider/v1/rides", map[string]string{"Cookie": cookie}, "")
		return status == 401
	}, 20*time.Second, 20*time.Millisecond)
	t.Logf("ended at the other gateway after %v", time.Since(signedOut))

	_ = stays.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	_, _, err = stays.ReadMessage()
	var slow net.Error
	require.ErrorAs(t, err, &slow, "another person's is still there")
}

// openSocket opens a socket of the map, as that person.
func openSocket(t *testing.T, url, subject string, header http.Header) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(url, "http", "ws", 1), header)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	var hello map[string]string
	require.NoError(t, conn.ReadJSON(&hello))
	require.Equal(t, subject, hello["subject"])
	return conn
}

// requireEnded waits until a socket is closed from the other end.
func requireEnded(t *testing.T, conn *websocket.Conn) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	_, _, err := conn.ReadMessage()
	var slow net.Error
	require.Error(t, err)
	require.NotErrorAs(t, err, &slow, "the socket has ended, and not the patience")
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
