package mapfeed

import (
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/test/apitest"
)

// TestTheDescribedAnswersHappen provokes what docs/openapi.yaml says of the service's
// route.
func TestTheDescribedAnswersHappen(t *testing.T) {
	t.Parallel()
	f, base, signer := start(t, "http://127.0.0.1:1")
	api := apitest.At(t, strings.TrimSuffix(strings.Replace(base, "ws", "http", 1), "/v1/map"), signer, f.routes())
	viewer := auth.Identity{Role: auth.Viewer, Subject: "viewer"}
	handshake := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEA=="}
	api.Provoke(t, []apitest.Request{
		{Op: "map", Who: viewer, Status: 101, Header: handshake},
		{Op: "map", Who: viewer, Status: 400},
	}, map[string]string{"429": "httpserver's tests have the limit of streams", "503": "httpserver's tests take dependencies away"})
}

// What a client sends over its socket is as strictly read as a body, and the socket
// stays open.
func TestAWrongMessageIsNamed(t *testing.T) {
	t.Parallel()
	_, base, signer := start(t, "http://127.0.0.1:1")
	conn := dial(t, base, signer, auth.Identity{Role: auth.Viewer, Subject: "viewer"})
	require.Equal(t, "hello", nextText(t, conn)["type"])
	for _, tc := range []struct {
		sent  string
		field any
	}{
		{`nonsense`, nil}, {`[]`, nil}, {`{"type":"view"}{}`, nil},
		{`{"type":7}`, "type"}, {`{"type":"nonsense"}`, "type"}, {`{}`, "type"},
		{`{"type":"view","west":-56.3,"south":-35,"east":-56}`, "view"}, // no north is not the equator
		{`{"type":"view","west":-56.3,"south":-35,"east":-56,"north":91}`, "view"},
		{`{"type":"view","west":"x"}`, "west"},
		{`{"type":"view","west":-57,"south":-35,"east":-56,"north":-34,"format":"xml"}`, "format"},
		{`{"type":"ride","ride_id":"r1","after":"-1"}`, "after"}, {`{"type":"ride","ride_id":"r1","after":"x"}`, "after"},
		{`{"type":"view","zoom":3}`, "zoom"},
		{`{"type":"shown_ride","stop":"no"}`, "stop"},
		{`{"type":"ride"}`, "ride_id"}, {`{"type":"ride","ride_id":".."}`, "ride_id"},
		{`{"type":"ride","ride_id":"` + strings.Repeat("x", 65) + `"}`, "ride_id"},
	} {
		require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(tc.sent)))
		got := nextText(t, conn)
		require.Equal(t, "error", got["type"], tc.sent)
		p, _ := got["problem"].(map[string]any)
		require.Equal(t, []any{"invalid", tc.field}, []any{p["code"], p["field"]}, "%s: %v", tc.sent, p)
	}
}
