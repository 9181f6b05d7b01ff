package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/lifecycle"
)

// proxyTo returns a server that passes everything on to h.
func proxyTo(t *testing.T, h http.Handler, transport *http.Transport) (front, behind *httptest.Server) {
	t.Helper()
	behind = httptest.NewServer(h)
	t.Cleanup(behind.Close)
	signer, err := auth.NewSigner(make([]byte, 32))
	require.NoError(t, err)
	g := &gateway{cfg: Config{Auth: signer}, env: lifecycle.Env{Log: slog.New(slog.DiscardHandler)}, transport: transport, buffers: &bufferPool{}}
	proxy, err := g.proxy("booking", behind.URL)
	require.NoError(t, err)
	front = httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	return front, behind
}

func ask(t *testing.T, url string) (status int, retryAfter, body string) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header.Get("Retry-After"), string(b)
}

// What hangs is not said to restart: nobody restarts it before it was silent for long.
func TestTheGatewaySaysWhatIsTrueOfAServiceThatHangs(t *testing.T) {
	hangs := make(chan struct{})
	front, behind := proxyTo(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs }), newTransport(100*time.Millisecond))
	defer close(hangs)
	status, after, body := ask(t, front.URL)
	require.Equal(t, []any{503, "5"}, []any{status, after})
	require.Contains(t, body, "The service booking does not answer: it hangs")

	behind.Listener.Close() //nolint:errcheck,gosec // it is closed again by the cleanup
	behind.CloseClientConnections()
	status, after, body = ask(t, front.URL)
	require.Equal(t, []any{503, "1"}, []any{status, after})
	require.Contains(t, body, "is restarting")
}

// A thousand drivers have hundreds of points under way at once: their connections
// to location are kept.
func TestConnectionsToAServiceAreKept(t *testing.T) {
	const atOnce = 200
	var opened, arrived atomic.Int32
	release := make(chan struct{}, atOnce)
	transport := newTransport(time.Minute)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		opened.Add(1)
		return dial(ctx, network, addr)
	}
	front, _ := proxyTo(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if arrived.Add(1)%atOnce == 0 { // all are under way at the same time
			for range atOnce {
				release <- struct{}{}
			}
		}
		<-release
	}), transport)

	round := func() {
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() { _, _, _ = ask(t, front.URL) })
		}
		all.Wait()
	}
	round()
	require.GreaterOrEqual(t, opened.Swap(0), int32(atOnce))
	round()
	require.Less(t, opened.Load(), int32(atOnce/10), "opened anew")
}

// What an open stream costs the gateway is memory that it holds for as long as it lives.
func TestBuffersAreLentAgainAndSmall(t *testing.T) {
	b := &bufferPool{}
	require.LessOrEqual(t, len(b.Get()), 8<<10)
	require.Less(t, testing.AllocsPerRun(100, func() { b.Put(b.Get()) }), 2.0, "the header alone")
}

// What is packed is unpacked by the service alone, which knows how much it may be.
func TestAPackedBodyIsPassedOnUntouched(t *testing.T) {
	const packed = "\x1f\x8b\x08 as it came"
	front, _ := proxyTo(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.Header().Set("Accept-Encoding", "gzip")
		_, _ = io.WriteString(w, r.Header.Get("Content-Encoding")+" "+string(body)+fmt.Sprint(err))
	}), newTransport(time.Second))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL, strings.NewReader(packed))
	require.NoError(t, err)
	req.Header.Set("Content-Encoding", "gzip")

	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "gzip "+packed+"<nil>", string(body))
	require.Equal(t, "gzip", resp.Header.Get("Accept-Encoding"))
}
