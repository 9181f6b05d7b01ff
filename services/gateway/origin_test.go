package gateway_test

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/gateway"
	"tandem/services/internal/lifecycle"
)

func TestOtherOriginsAreRefused(t *testing.T) {
	base, _ := start(t, true)
	b := newBrowser(t, base)
	for _, origin := range []string{"", "http://evil.example", "null"} {
		status, _ := b.send(t, "POST", "/session/rider", map[string]string{"Origin": origin}, "")
		require.Equal(t, 403, status, origin)
	}
	_, _ = b.send(t, "POST", "/session/rider", map[string]string{"Origin": base}, "")
	for _, origin := range []string{"", "http://evil.example"} {
		status, _ := b.send(t, "POST", "/rider/v1/rides", map[string]string{"Origin": origin}, "{}")
		require.Equal(t, 403, status, origin)
	}
	status, _ := b.send(t, "POST", "/rider/v1/rides", map[string]string{"Origin": base}, "{}")
	require.Equal(t, 200, status)
}

// A page of evil.example whose name was made to lead to this machine: the browser
// sends that name as Host and as Origin, and both agree.
func TestARebindingPageIsRefused(t *testing.T) {
	base, _ := start(t, true)
	host := "evil.example" + base[strings.LastIndex(base, ":"):]

	for _, path := range []string{"POST /session/admin", "POST /admin/v1/ops", "GET /", "GET /viewer/v1/map", "GET /viewer/socket", "POST /v1/tokens", "GET /metrics"} {
		method, target, _ := strings.Cut(path, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, base+target, strings.NewReader(`{"role":"rider"}`))
		require.NoError(t, err)
		req.Host = host
		req.Header.Set("Origin", "http://"+host)

		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode, path)
		assert.Empty(t, resp.Cookies(), path)
	}
}

// One click makes an operator: of whoever sits at this machine, and not of whoever
// is on its network.
func TestOneClickOperatorsNeedLoopback(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()

	env := lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	require.ErrorContains(t, gateway.Run(t.Context(), env, gateway.Config{DemoLogin: true}), "--demo-login-off-loopback")
	for _, allowed := range []gateway.Config{{}, {DemoLogin: true, DemoLoginOffLoopback: true}} {
		require.NotContains(t, gateway.Run(t.Context(), env, allowed).Error(), "loopback", "it goes on, to a database that was not named")
	}
}
