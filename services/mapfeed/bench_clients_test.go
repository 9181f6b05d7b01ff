package mapfeed

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
)

// TestBenchClients is the clients' process of the benchmarks.
func TestBenchClients(t *testing.T) {
	asked := os.Getenv("MAPFEED_BENCH")
	if asked == "" {
		t.Skip("it is a part of BenchmarkFanOut and BenchmarkManyClients")
	}
	var base string
	var n int
	var stalled int
	var width float64
	_, err := fmt.Sscan(asked, &base, &n, &width, &stalled)
	require.NoError(t, err)

	var counting atomic.Bool
	var updates atomic.Int64
	var mu sync.Mutex
	var ages []float64
	var wg sync.WaitGroup
	var conns []*websocket.Conn
	signer, err := auth.NewSigner(benchKey)
	require.NoError(t, err)
	for range stalled {
		conns = append(conns, stall(t, base, signer))
	}
	for i := range n {
		header := http.Header{}
		token, err := signer.Sign(auth.Identity{Subject: fmt.Sprint("client-", i), Role: auth.Service}, time.Hour)
		require.NoError(t, err)
		header.Set("Authorization", "Bearer "+token)
		conn, answer, err := websocket.DefaultDialer.DialContext(t.Context(), base, header)
		require.NoError(t, err, "%v", answer)
		conns = append(conns, conn)
		part := width
		if width > 0 {
			west := -56.4 + 0.4*(1-width)*rand.Float64()
			require.NoError(t, conn.WriteJSON(map[string]any{"type": "view", "west": west, "south": -34.95, "east": west + 0.4*width, "north": -34.75}))
		} else {
			part = -width
		}
		wg.Go(func() {
			for {
				kind, b, err := conn.ReadMessage()
				if err != nil {
					return
				}
				if !counting.Load() {
					continue
				}
				if kind == websocket.TextMessage {
					// Counting braces is as good as decoding: what it costs here does not count.
					updates.Add(int64(part * float64(countVehicles(b))))
					continue
				}
				cars := int64(binary.LittleEndian.Uint16(b[2:]))
				updates.Add(cars)
				now := float64(time.Now().UnixMilli())
				sent := float64(floatAt(b[8:]))
				mu.Lock()
				for v := b[headBytes:]; len(v) > 0; v = v[vehicleBytes:] {
					if len(ages) < 5_000_000 {
						ages = append(ages, now-sent+float64(binary.LittleEndian.Uint32(v[ageAt:])))
					}
				}
				mu.Unlock()
			}
		})
	}

	time.Sleep(2 * time.Second) // frames of everything have come
	counting.Store(true)
	fmt.Println("began")
	time.Sleep(benchLength)
	counting.Store(false)
	mu.Lock()
	slices.Sort(ages)
	r := benchReport{Updates: updates.Load()}
	if len(ages) > 0 {
		r.P50, r.P99 = ages[len(ages)/2], ages[len(ages)*99/100]
	}
	mu.Unlock()
	b, err := json.Marshal(map[string]any{"Updates": r.Updates, "P50": r.P50, "P99": r.P99})
	require.NoError(t, err)
	fmt.Println(string(b))
	for _, c := range conns {
		_ = c.Close()
	}
	wg.Wait()
}

// stall opens a socket that wants the whole map and then reads nothing, with a receive
// buffer that is soon full.
func stall(t *testing.T, base string, signer *auth.Signer) *websocket.Conn {
	t.Helper()
	token, err := signer.Sign(auth.Identity{Subject: "stalled", Role: auth.Service}, time.Hour)
	require.NoError(t, err)
	small := websocket.Dialer{NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4096)
		}
		return conn, err
	}}
	conn, _, err := small.DialContext(t.Context(), base, http.Header{"Authorization": {"Bearer " + token}})
	require.NoError(t, err)
	require.NoError(t, conn.WriteJSON(map[string]any{"type": "view", "west": -56.4, "south": -34.95, "east": -56.0, "north": -34.75}))
	return conn
}

func countVehicles(b []byte) (n int) {
	for _, c := range b {
		if c == '{' {
			n++
		}
	}
	return n
}
