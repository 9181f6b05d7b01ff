package httpserver_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/httpserver"
)

// What two parsers may read differently is refused: the gateway's reader, or a log's,
// must not see another request than the service does.
func TestABodyMeansOneThing(t *testing.T) {
	type input struct {
		Seats int    `json:"seats"`
		Name  string `json:"name"`
		Deep  []struct {
			Kind string `json:"kind"`
		} `json:"deep"`
	}
	f := start(t, httpserver.Options{Routes: []httpserver.Route{{Method: "POST", Path: "/v1/seats", Public: true, Handle: func(c *gin.Context) error {
		var in input
		if err := httpserver.Bind(c, &in); err != nil {
			return err
		}
		c.Status(http.StatusNoContent)
		return nil
	}}}})

	for _, tc := range []struct {
		kind, body string
		status     int
	}{
		{"application/json", `{"seats":2,"name":"é"}`, 204},
		{"Application/JSON; charset=utf-8", `{"seats":2}`, 204},
		{"application/json", `{"deep":[{"kind":"a"},{"kind":"b"}]}`, 204},
		{"text/plain", `{"seats":2}`, 415}, // a page may send this without asking first
		{"application/x-www-form-urlencoded", `{"seats":2}`, 415},
		{"", `{"seats":2}`, 415},
		{"application/json", `{"seats":1,"seats":2}`, 400},
		{"application/json", `{"deep":[{"kind":"a","kind":"b"}]}`, 400},
		{"application/json", `{"Seats":2}`, 400},
		{"application/json", `{"deep":[{"\u212aind":"a"}]}`, 400}, // Go takes the Kelvin sign for a k
		{"application/json", "{\"name\":\"\xff\"}", 400},
		{"application/json", `{"name":"\ud83d\ude97 and \\ud800"}`, 204}, // a pair; an escaped backslash
		{"application/json", `{"name":"\ud800"}`, 400},                   // Go takes U+FFFD for it
		{"application/json", `{"name":"a\uD83D"}`, 400},
		{"application/json", `{"name":"\ude97\ud83d"}`, 400},
		{"application/json", `{"name":"\ud83d\ud83d\ude97"}`, 400},
		{"application/json", `{"name":"\\\ud800"}`, 400},
		{"application/json", `{"deep":[{"kind":"\udfff"}]}`, 400},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/v1/seats", strings.NewReader(tc.body))
		require.NoError(t, err)
		if tc.kind != "" {
			req.Header.Set("Content-Type", tc.kind)
		}
		status, header, body := send(t, req)
		assert.Equal(t, tc.status, status, "%s %s: %s", tc.kind, tc.body, body)
		assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-store", header.Get("Cache-Control"))
		assert.Equal(t, "same-origin", header.Get("Cross-Origin-Resource-Policy"))
	}
}

// Bytes that are packed are no JSON, which the client is told by what it may send.
func TestAPackedBodyIsRefusedByItsCoding(t *testing.T) {
	f := start(t, httpserver.Options{Routes: []httpserver.Route{{Method: "POST", Path: "/v1/seats", Public: true, Handle: func(c *gin.Context) error {
		if err := httpserver.Bind(c, &struct{}{}); err != nil {
			return err
		}
		c.Status(http.StatusNoContent)
		return nil
	}}}})

	for coding, want := range map[string]int{"": 204, "identity": 204, "Identity": 204, "gzip": 415, "br": 415, "identity, gzip": 415} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/v1/seats", strings.NewReader(`{}`))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Content-Encoding", coding)

		status, header, body := send(t, req)
		assert.Equal(t, want, status, "%s: %s", coding, body)
		if want == 415 {
			assert.Equal(t, "identity", header.Get("Accept-Encoding"), coding)
			assert.Contains(t, string(body), `The body may not be packed, as with Content-Encoding: \"`+coding+`\" it is.`)
		}
	}
}

// A client that announces a body and never sends it holds its connection for
// Timeout, wherever it asks: a route, a proxy, or where there is nothing.
func TestStalledBodiesAreCutOff(t *testing.T) {
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		httpserver.WriteProblem(w, err)
	})
	f := start(t, httpserver.Options{Timeout: 100 * time.Millisecond, NoRoute: read})

	for _, path := range []string{"/healthz", "/proxied", "/v1/status"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		require.NoError(t, err)
		_, err = conn.Write([]byte("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"))
		require.NoError(t, err)

		require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		_, err = io.ReadAll(conn)
		require.NoError(t, err, "%s: the server has closed it", path)
		require.NoError(t, conn.Close())
	}
}

// Whoever is refused hears so although the body stalls; a body that has come leaves
// the connection as it was.
func TestRefusalsDoNotWaitForTheBody(t *testing.T) {
	f := start(t, httpserver.Options{Timeout: time.Hour})
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	in := bufio.NewReader(conn)

	for _, tc := range []struct {
		sent  string
		close bool
	}{{"{}", false}, {"{", true}} {
		_, err = conn.Write([]byte("POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n" + tc.sent))
		require.NoError(t, err)
		resp, err := http.ReadResponse(in, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusNotFound, resp.StatusCode)
		require.Equal(t, tc.close, resp.Close)
	}
}

// A stream may be silent for longer than Timeout.
func TestStreamsOutliveTheTimeout(t *testing.T) {
	f := start(t, httpserver.Options{Timeout: 50 * time.Millisecond, Routes: []httpserver.Route{{
		Method: "GET", Path: "/stream", Public: true, Stream: true, Handle: func(c *gin.Context) error {
			c.Writer.Flush()
			select {
			case <-c.Request.Context().Done():
			case <-time.After(200 * time.Millisecond):
				_, _ = c.Writer.WriteString("whole")
			}
			return nil
		},
	}}})
	status, _, body := f.do(t, "GET", "/stream", "", "")
	require.Equal(t, 200, status)
	require.Equal(t, "whole", string(body))
}
