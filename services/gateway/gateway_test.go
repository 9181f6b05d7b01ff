package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/gateway"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/test/testenv"
)

const operatorKey = "operator-key-of-the-test"

// start runs a gateway whose services behind it all answer with the path and
// the identity that they were asked by; /v1/map is a WebSocket that echoes it.
func start(t *testing.T, demoLogin bool, change ...func(*gateway.Config)) (base string, signer *auth.Signer) {
	t.Helper()
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	dbURL, _ := testenv.Database(t, gateway.Schema())
	change = append([]func(*gateway.Config){func(c *gateway.Config) { c.DemoLogin = demoLogin }}, change...)
	return replica(t, dbURL, signer, change...), signer
}

// replica runs one more gateway on a database.
func replica(t *testing.T, dbURL string, signer *auth.Signer, change ...func(*gateway.Config)) (base string) {
	t.Helper()
	services := behind(t, signer)
	cfg := gateway.Config{
		DatabaseURL: dbURL, Auth: signer, OperatorKey: operatorKey,
		BookingURL: services, LocationURL: services, MapfeedURL: services, HistoryURL: services,
		HeatmapURL: services, NotificationURL: services, ConsoleURL: services, CompareURL: services,
		App:  fstest.MapFS{"index.html": {Data: []byte(`<script nonce="__CSP_NONCE__"><meta content="__CITY_VERSION__">`)}, "assets/a.js": {Data: []byte(strings.Repeat("a", 500))}},
		City: fstest.MapFS{"map/roads.json": {Data: []byte(`{}`)}},
	}
	for _, c := range change {
		c(&cfg)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- gateway.Run(ctx, lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}, cfg)
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return "http://" + l.Addr().String()
}

// behind runs what stands for the services.
func behind(t *testing.T, signer *auth.Signer) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			return
		}
		id, err := signer.Verify(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}

		client, _ := signer.Vouched(r.Header.Get(httpserver.ClientHeader))
		answer := map[string]string{"path": r.URL.Path, "subject": id.Subject, "role": string(id.Role), "cookie": r.Header.Get("Cookie"), "client": client}
		switch {
		case strings.HasSuffix(r.URL.Path, "/events"):
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		case r.URL.Path != "/v1/map":
			w.Header().Set("X-Content-Type-Options", "nosniff") // as every service does
			_ = json.NewEncoder(w).Encode(answer)
			return
		}

		conn, err := (&websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		_ = conn.WriteJSON(answer)
		_, _, _ = conn.ReadMessage() // until the other end closes
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	return server.URL
}

type browser struct {
	http.Client
	base string
}

func newBrowser(t *testing.T, base string) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{Client: http.Client{Jar: jar}, base: base}
}

func (b *browser) send(t *testing.T, method, path string, header map[string]string, body string) (int, map[string]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.base+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := b.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	fields := map[string]any{}
	_ = json.Unmarshal(raw, &fields)
	out := map[string]string{"raw": string(raw), "cache": resp.Header.Get("Cache-Control"), "csp": resp.Header.Get("Content-Security-Policy"), "retry-after": resp.Header.Get("Retry-After")}
	require.Equal(t, []string{"nosniff"}, resp.Header.Values("X-Content-Type-Options"), path)
	for k, v := range fields {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return resp.StatusCode, out
}

func TestOneBrowserIsThreePeopleInThreeTabs(t *testing.T) {
	base, _ := start(t, true)
	b := newBrowser(t, base)
	own := map[string]string{"Origin": base}
	subjects := map[string]string{}
	for _, role := range []string{"rider", "driver", "admin"} {
		status, _ := b.send(t, "GET", "/"+role+"/v1/rides", nil, "")
		require.Equal(t, 401, status, "before signing in")
		status, _ = b.send(t, "GET", "/session/"+role, nil, "")
		require.Equal(t, 204, status, "a page may ask who signed in here: nobody is no error")
		status, out := b.send(t, "POST", "/session/"+role, own, "")
		require.Equal(t, 200, status, out)
		subjects[role] = out["subject"]
	}
	for role, subject := range subjects {
		status, out := b.send(t, "GET", "/"+role+"/v1/rides", nil, "")
		require.Equal(t, 200, status)
		require.Equal(t, subject, out["subject"])
		require.Equal(t, role, out["role"])
		require.Equal(t, "/v1/rides", out["path"], "the prefix is stripped")
		require.Empty(t, out["cookie"], "no service sees a cookie")
		status, out = b.send(t, "POST", "/session/"+role, own, "")
		require.Equal(t, 200, status)
		require.Equal(t, subject, out["subject"], "a second click is the same person")
		status, out = b.send(t, "GET", "/session/"+role, nil, "")
		require.Equal(t, 200, status)
		require.Equal(t, subject, out["subject"])
	}
	status, _ := b.send(t, "DELETE", "/session/rider", own, "")
	require.Equal(t, 204, status)
	status, _ = b.send(t, "GET", "/rider/v1/rides", nil, "")
	require.Equal(t, 401, status)
	status, _ = b.send(t, "GET", "/driver/v1/drivers/me", nil, "")
	require.Equal(t, 200, status)
}

func TestSocketTicketWorksOnceForItsRole(t *testing.T) {
	base, _ := start(t, true)
	b := newBrowser(t, base)
	own := map[string]string{"Origin": base}
	_, who := b.send(t, "POST", "/session/rider", own, "")
	ticket := func() string {
		status, out := b.send(t, "POST", "/rider/v1/socket-ticket", own, "")
		require.Equal(t, 200, status)
		return out["ticket"]
	}
	dial := func(path, origin string) (map[string]string, int) {
		conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(base, "http", "ws", 1)+path, http.Header{"Origin": {origin}})
		if err != nil {
			require.NotNil(t, resp, err)
			return nil, resp.StatusCode
		}
		defer func() { _ = conn.Close() }()
		var out map[string]string
		require.NoError(t, conn.ReadJSON(&out))
		return out, resp.StatusCode
	}
	first := ticket()
	_, status := dial("/rider/socket?ticket="+first, "http://evil.example")
	require.Equal(t, 403, status)
	out, status := dial("/rider/socket?ticket="+first, base)
	require.Equal(t, 101, status)
	require.Equal(t, who["subject"], out["subject"])
	_, status = dial("/rider/socket?ticket="+first, base)
	require.Equal(t, 401, status, "a ticket works once")
	_, status = dial("/admin/socket?ticket="+ticket(), base)
	require.Equal(t, 401, status, "a rider's ticket opens no admin socket")
}

func TestTokensForPrograms(t *testing.T) {
	base, signer := start(t, false)
	b := newBrowser(t, base)
	operator := map[string]string{"X-Operator-Key": operatorKey}
	cases := []struct {
		name, body string
		header     map[string]string
		status     int
	}{
		{"guest rider", `{"role":"rider"}`, nil, 200},
		{"guest may not name itself", `{"role":"rider","subject":"somebody"}`, nil, 400},
		{"guest admin", `{"role":"admin"}`, nil, 403},
		{"unknown role", `{"role":"king"}`, nil, 400},
		{"wrong key", `{"role":"admin","subject":"a"}`, map[string]string{"X-Operator-Key": "guess"}, 403},
		{"operator", `{"role":"importer","subject":"feed"}`, operator, 200},
		{"operator, bad subject", `{"role":"driver","subject":"a b"}`, operator, 400},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			status, out := b.send(t, "POST", "/v1/tokens", tc.header, tc.body)
			require.Equal(t, tc.status, status, out)
			if status == 200 {
				id, err := signer.Verify(out["token"])
				require.NoError(t, err)
				require.Equal(t, out["subject"], id.Subject)
			}
		})
	}
	_, out := b.send(t, "POST", "/v1/tokens", nil, `{"role":"driver"}`)
	status, again := b.send(t, "POST", "/v1/tokens", nil, `{"refresh_token":"`+out["refresh_token"]+`"}`)
	require.Equal(t, 200, status)
	require.Equal(t, out["subject"], again["subject"])
	status, _ = b.send(t, "POST", "/session/admin", map[string]string{"Origin": base}, "")
	require.Equal(t, 403, status, "no one-click admin outside of the demo")

	status, got := b.send(t, "GET", "/v1/drivers/me", map[string]string{"Authorization": "Bearer " + out["token"]}, "")
	require.Equal(t, 200, status)
	require.Equal(t, out["subject"], got["subject"])
	status, _ = b.send(t, "GET", "/v1/secret/../rides", nil, "")
	require.NotEqual(t, 200, status)
	status, _ = b.send(t, "GET", "/v1/drivers/me/", map[string]string{"Authorization": "Bearer " + out["token"]}, "")
	require.Equal(t, 404, status, "a path is one path: the service would answer with a redirect, to elsewhere")
	status, _ = b.send(t, "GET", "/v1/unknown", nil, "")
	require.Equal(t, 404, status)
}

func TestAppAndCity(t *testing.T) {
	base, _ := start(t, true)
	b := newBrowser(t, base)
	for path, want := range map[string]int{
		"/": 200, "/rider": 200, "/driver": 200, "/compare": 200, "/compare?step=2": 200, "/learn": 200, "/learn?chapter=2": 200, "/admin": 200, "/admin/playback": 200, "/rider/": 200, "/rider?ride=1": 200,
		"/driver/anything": 404, "/admin/anything": 404, "/nowhere": 404, "/nowhere.html": 404, "/index.html": 404, "/assets": 404,
	} {
		status, out := b.send(t, "GET", path, map[string]string{"Accept": "text/html,*/*"}, "")
		require.Equal(t, want, status, path)
		require.NotContains(t, out["raw"], "__CSP_NONCE__")
		nonce := strings.Split(out["raw"], `"`)[1]
		require.Contains(t, out["csp"], "'nonce-"+nonce+"'", "%s is a page", path)
	}
	for _, path := range []string{"/nowhere", "/assets/missing.js", "/v1/nowhere"} {
		status, out := b.send(t, "GET", path, nil, "")
		require.Equal(t, 404, status, path)
		require.Equal(t, "There is nothing at "+path+".", out["detail"], "a program gets no page")
	}
	status, _ := b.send(t, "GET", "/assets/a.js", nil, "")
	require.Equal(t, 200, status)
	require.Eventually(t, func() bool { s, _ := b.send(t, "GET", "/readyz", nil, ""); return s == 200 }, 5*time.Second, 20*time.Millisecond)
}

func TestTheCityIsKeptForGoodUnderTheVersionThatThePageWasTold(t *testing.T) {
	base, _ := start(t, true)
	b := newBrowser(t, base)
	_, page := b.send(t, "GET", "/", map[string]string{"Accept": "text/html"}, "")
	version := strings.Split(page["raw"], `"`)[3]
	require.Len(t, version, 12)

	for path, want := range map[string]string{
		"/city/" + version + "/map/roads.json": "public, max-age=31536000, immutable",
		"/city/before/map/roads.json":          "no-cache", // of a page that is older than the city
		"/city/map/roads.json":                 "no-cache",
	} {
		status, out := b.send(t, "GET", path, nil, "")
		require.Equal(t, 200, status, path)
		require.Equal(t, "{}", out["raw"], path)
		require.Equal(t, want, out["cache"], path)
	}

	for _, path := range []string{"/city/" + version + "/map/nowhere.json", "/city/" + version, "/city/"} {
		status, out := b.send(t, "GET", path, nil, "")
		require.Equal(t, 404, status, path)
		require.NotContains(t, out["cache"], "immutable", path)
	}
}
