package mapfeed

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// A client that does not take its text frames is disconnected; whoever has one for
// it does not wait.
func TestAFullQueueEndsTheClient(t *testing.T) {
	f, _, _ := start(t, "")
	var why error
	c := &client{feed: f, texts: make(chan []byte, 1), end: func(err error) { why = err }}
	c.send("first")
	require.NoError(t, why)
	c.send("second")
	require.Equal(t, errSlow, why)
}

// A client is told why its socket is closed.
func TestAClosedSocketSaysWhy(t *testing.T) {
	f, base, signer := start(t, "")
	for _, why := range []closing{errSlow, errSilent, errEnding} {
		conn := dial(t, base, signer, viewer)
		require.Equal(t, "hello", nextText(t, conn)["type"])
		require.Equal(t, 1, f.count())
		f.mu.Lock()
		clients := slices.Collect(maps.Keys(f.clients))
		f.mu.Unlock()
		clients[0].end(why)
		_, _, err := conn.ReadMessage()
		require.Equal(t, &websocket.CloseError{Code: why.code, Text: why.reason}, err)
		require.LessOrEqual(t, len(why.reason), 123, "RFC 6455: a control frame has 125 bytes")
		require.Eventually(t, func() bool { return f.count() == 0 }, 10*time.Second, time.Millisecond)
	}

	conn := dial(t, base, signer, viewer)
	require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(strings.Repeat(" ", maxMessage+1))))
	_, _, err := conn.ReadMessage()
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	require.True(t, websocket.IsCloseError(err, websocket.CloseMessageTooBig), "%v", err)
}

// Who asks for JSON gets what the binary frames tell.
func TestPositionsAsJSON(t *testing.T) {
	f, base, signer := start(t, "")
	p := point("in", 7, -34.9, -56.2)
	p.Heading = nil
	f.world.apply(p, time.Now())
	conn := dial(t, base, signer, viewer)
	require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"view","west":-57,"south":-35,"east":-56,"north":-34,"format":"json"}`)))

	text := nextText(t, conn)
	for text["type"] != "positions" {
		text = nextText(t, conn)
	}
	require.Equal(t, "all", text["kind"])
	require.Nil(t, text["behind_ms"], "nobody knows")
	b, err := json.Marshal(text["vehicles"])
	require.NoError(t, err)
	var vehicles []position
	require.NoError(t, json.Unmarshal(b, &vehicles))
	require.Len(t, vehicles, 1)
	vehicles[0].AgeMS = 0
	require.Equal(t, position{Vehicle: f.world.vehicleOf("in"), Lat: -34.9, Lon: -56.2, Speed: new(9.0), At: 7}, vehicles[0])
}
