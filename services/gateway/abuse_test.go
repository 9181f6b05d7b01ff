package gateway_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/gateway"
	"tandem/services/internal/auth"
)

// from returns a client at one of loopback's addresses.
func from(t *testing.T, address string) *http.Client {
	t.Helper()
	l, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Skipf("NOT TESTED: this machine has no second loopback address: %v", err)
	}
	require.NoError(t, l.Close())

	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	tr := &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 500}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// tally counts answers by status. Each refusal must say when to come back.
type tally struct {
	t  *testing.T
	mu sync.Mutex
	by map[int]int
}

func (c *tally) add(resp *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[resp.StatusCode]++
	if resp.StatusCode == http.StatusTooManyRequests {
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		assert.True(c.t, err == nil && after >= 1 && after <= 60, "Retry-After is in whole seconds: %q", resp.Header.Get("Retry-After"))
	}
}

// flood sends n requests at the same time and counts the answers. Answers without an
// end are left open until the test ends.
func flood(t *testing.T, client *http.Client, n int, request func() *http.Request) map[int]int {
	t.Helper()
	c := &tally{t: t, by: map[int]int{}}
	var wg sync.WaitGroup
	for range n {
		req := request()
		wg.Go(func() {
			resp, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			c.add(resp)
			open := resp.StatusCode == http.StatusSwitchingProtocols || resp.Header.Get("Content-Type") == "text/event-stream"
			if !open {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	return c.by
}

func request(t *testing.T, method, url, body string, header map[string]string) func() *http.Request {
	return func() *http.Request {
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		for name, value := range header {
			req.Header.Set(name, value)
		}
		return req
	}
}

// Whoever floods the gateway is refused and told when to come back, and everybody
// else is served meanwhile: also at the same address, whoever has a name.
func TestFloodsAreRefusedAndOthersServed(t *testing.T) {
	const addressMay, personMay = 300, 100
	base, signer := start(t, false, func(c *gateway.Config) { c.MaxPerAddress = addressMay })
	token := func(subject string) map[string]string {
		text, err := signer.Sign(auth.Identity{Subject: subject, Role: auth.Rider}, time.Minute)
		require.NoError(t, err)
		return map[string]string{"Authorization": "Bearer " + text}
	}
	other := from(t, "127.0.0.9")
	othersServed := func(during string) {
		t.Helper()
		slowest := time.Duration(0)
		for n := range 20 {
			began := time.Now()
			got := flood(t, other, 1, request(t, "GET", base+"/v1/rides", "", token("other-"+strconv.Itoa(n))))
			slowest = max(slowest, time.Since(began))
			require.Equal(t, map[int]int{200: 1}, got, during)
		}
		require.Less(t, slowest, 5*time.Second)
		t.Logf("%s: 20 of 20 others served, the slowest in %v", during, slowest.Round(time.Millisecond))
	}

	operator := map[string]string{"X-Operator-Key": "guess"}
	own := map[string]string{"Origin": base, "Cookie": "tandem_rider=" + cookieOf(t, base)}
	upgrade := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
	for name, value := range token("floods-sockets") {
		upgrade[name] = value
	}

	// most is what the limit lets through at once; a second's worth may come on top.
	for i, tc := range []struct {
		name         string
		n            int
		send         func() *http.Request
		passes, most int
	}{
		{"guests", 200, request(t, "POST", base+"/v1/tokens", `{"role":"rider"}`, nil), 200, 20},
		{"guests by the page", 200, request(t, "POST", base+"/session/rider", "", map[string]string{"Origin": base}), 200, 20},
		{"wrong operator keys", 200, request(t, "POST", base+"/v1/tokens", `{"role":"admin","subject":"a"}`, operator), 403, 10},
		{"wrong refresh tokens", 200, request(t, "POST", base+"/v1/tokens", `{"refresh_token":"guess"}`, nil), 401, 50},
		{"wrong cookies", 200, request(t, "GET", base+"/rider/v1/rides", "", map[string]string{"Cookie": "tandem_rider=guess"}), 401, 50},
		{"wrong tickets", 200, request(t, "GET", base+"/rider/socket?ticket=guess", "", nil), 401, 50},
		{"tickets", 200, request(t, "POST", base+"/rider/v1/socket-ticket", "", own), 200, 20},
		{"streams", 200, request(t, "GET", base+"/v1/rides/1/events", "", token("floods-streams")), 200, personMay},
		{"sockets", 200, request(t, "GET", base+"/v1/map", "", upgrade), 101, personMay},
	} {
		began := time.Now()
		got := flood(t, from(t, "127.0.0."+strconv.Itoa(20+i)), tc.n, tc.send)
		t.Logf("%s: of %d, %v", tc.name, tc.n, got)
		require.Equal(t, tc.n, got[tc.passes]+got[http.StatusTooManyRequests], got)
		require.GreaterOrEqual(t, got[tc.passes], tc.most)
		require.LessOrEqual(t, got[tc.passes], tc.most+5*int(time.Since(began).Seconds()+1))
		othersServed(tc.name)
	}

	// Names cost nothing, so an address is bounded whatever its people are called.
	crowd := 0
	got := flood(t, from(t, "127.0.0.7"), 400, func() *http.Request {
		crowd++
		return request(t, "GET", base+"/v1/rides/1/events", "", token("one-of-many-"+strconv.Itoa(crowd)))()
	})
	t.Logf("streams of 400 people at one address: %v", got)
	require.Equal(t, map[int]int{200: addressMay, 429: 400 - addressMay}, got)
	othersServed("streams of many people")

	// A body that never comes holds its place until the server cuts it off after 30 s.
	c, answers := stall(t, base, 400)
	for c.by[http.StatusTooManyRequests] < 400-addressMay {
		select {
		case resp := <-answers:
			c.add(resp)
			_ = resp.Body.Close()
		case <-time.After(25 * time.Second):
			require.Fail(t, "a stalled body is not refused", c.by)
		}
	}
	othersServed("stalled bodies")
	require.Equal(t, map[int]int{http.StatusTooManyRequests: 400 - addressMay}, c.by)
	require.Empty(t, answers, "the others wait for their bodies")
	t.Logf("stalled bodies: of 400, %v", c.by)
}

func cookieOf(t *testing.T, base string) string {
	t.Helper()
	resp, err := http.DefaultClient.Do(request(t, "POST", base+"/session/rider", "", map[string]string{"Origin": base})())
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.Cookies()[0].Value
}

// stall announces n bodies and sends none of them.
func stall(t *testing.T, base string, n int) (*tally, <-chan *http.Response) {
	t.Helper()
	client := from(t, "127.0.0.8")
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)

	answers := make(chan *http.Response, n)
	for range n {
		body, w := io.Pipe()
		t.Cleanup(func() { _ = w.Close() })
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/tokens", body)
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.ContentLength = 100
		go func() {
			if resp, err := client.Do(req); err == nil {
				answers <- resp
			}
		}()
	}
	return &tally{t: t, by: map[int]int{}}, answers
}

// Who creates guests or guesses the operator's key without end is refused; the
// operator, at the same address, is not.
func TestTheOperatorIsNotKeptWaitingByGuesses(t *testing.T) {
	base, _ := start(t, false)
	guess := request(t, "POST", base+"/v1/tokens", `{"role":"admin","subject":"a"}`, map[string]string{"X-Operator-Key": "guess"})
	require.Positive(t, flood(t, http.DefaultClient, 40, guess)[http.StatusTooManyRequests])
	key := request(t, "POST", base+"/v1/tokens", `{"role":"admin","subject":"a"}`, map[string]string{"X-Operator-Key": operatorKey})
	require.Equal(t, map[int]int{200: 40}, flood(t, http.DefaultClient, 40, key))
}

// A cookie and a token of one person, and a ticket, are one person; a program that
// acts for many people is not.
func TestCookiesTicketsAndTokensCountTogether(t *testing.T) {
	base, signer := start(t, false)
	b := newBrowser(t, base)
	_, who := b.send(t, "POST", "/session/rider", map[string]string{"Origin": base}, "")
	as := func(role auth.Role, subject string) map[string]string {
		text, err := signer.Sign(auth.Identity{Subject: subject, Role: role}, time.Minute)
		require.NoError(t, err)
		return map[string]string{"Authorization": "Bearer " + text}
	}

	require.Equal(t, map[int]int{200: 100}, flood(t, http.DefaultClient, 100, request(t, "GET", base+"/v1/rides/1/events", "", as(auth.Rider, who["subject"]))))
	status, out := b.send(t, "GET", "/rider/v1/rides", nil, "")
	require.Equal(t, 429, status)
	require.NotEmpty(t, out["retry-after"])
	_, ticket := b.send(t, "POST", "/rider/v1/socket-ticket", map[string]string{"Origin": base}, "")
	status, _ = b.send(t, "GET", "/rider/socket?ticket="+ticket["ticket"], nil, "")
	require.Equal(t, 429, status)

	require.Equal(t, map[int]int{200: 150}, flood(t, http.DefaultClient, 150, request(t, "GET", base+"/v1/rides/1/events", "", as(auth.Importer, "feed"))))
}

// Viewers behind a proxy have the addresses that it says; the services learn them.
func TestServicesLearnTheClientsAddress(t *testing.T) {
	for _, tc := range []struct {
		trusted []string
		client  string
	}{{nil, "127.0.0.1"}, {[]string{"127.0.0.1/32"}, "203.0.113.7"}} {
		base, signer := start(t, false, func(c *gateway.Config) { c.TrustedProxies = tc.trusted })
		header := map[string]string{"X-Forwarded-For": "203.0.113.7", "Tandem-Client": "198.51.100.1 forged"}
		status, out := newBrowser(t, base).send(t, "GET", "/viewer/v1/quote", header, "")
		require.Equal(t, 200, status)
		require.Equal(t, tc.client, out["client"])
		_ = signer
	}
}
