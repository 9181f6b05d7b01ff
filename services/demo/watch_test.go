package demo

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
)

func TestQuestionsShareOneConnection(t *testing.T) {
	var connections atomic.Int32
	console := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"rides":{"per_minute":7}}`))
	}))
	console.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	console.Start()
	defer console.Close()

	signer, err := auth.NewSigner(make([]byte, 32))
	require.NoError(t, err)
	d := &demo{addrs: map[string]string{"console": console.URL}, signer: signer}
	d.connect()

	for range 10 {
		o, err := d.overview(t.Context())
		require.NoError(t, err)
		require.InDelta(t, 7, o.Rides.PerMinute, 0)
	}
	require.EqualValues(t, 1, connections.Load(), "connections for 10 questions")
}

func TestTheLineSaysWhichReaderStandsStill(t *testing.T) {
	var o overview
	require.NoError(t, json.Unmarshal([]byte(`{"readers":[
		{"reader":"mapfeed","ok":true,"behind_ms":0,"latency_ms":{"p50":1}},
		{"reader":"history","ok":true,"behind_ms":32049,"latency_ms":{"p50":447}},
		{"reader":"heatmap","ok":true,"behind_ms":null,"latency_ms":{"p50":455}}]}`), &o))
	require.Contains(t, o.line(), "mapfeed 1 ms, history 32 s behind, heatmap 455 ms")
}
