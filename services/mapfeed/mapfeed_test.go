package mapfeed

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

type seen struct {
	id       uint32
	lat, lon float64
	at       int64
}

func decodeFrame(t *testing.T, b []byte) (kind byte, out []seen) {
	t.Helper()
	require.Equal(t, byte(frameVersion), b[0])
	n := int(binary.LittleEndian.Uint16(b[2:]))
	require.Len(t, b, headBytes+n*vehicleBytes)
	for i := range n {
		v := b[headBytes+i*vehicleBytes:]
		out = append(out, seen{
			id: binary.LittleEndian.Uint32(v), lat: float64(int32(binary.LittleEndian.Uint32(v[4:]))) / 1e7,
			lon: float64(int32(binary.LittleEndian.Uint32(v[8:]))) / 1e7, at: int64(math.Float64frombits(binary.LittleEndian.Uint64(v[16:]))),
		})
	}

	return b[1], out
}

// start serves a feed without a stream: tests apply points themselves.
func start(t *testing.T, bookingURL string) (f *feed, base string, signer *auth.Signer) {
	t.Helper()
	return startWith(t, bookingURL, func(*feed) {})
}

// startWith changes the feed before anything of it runs.
func startWith(t testing.TB, bookingURL string, change func(*feed)) (f *feed, base string, signer *auth.Signer) {
	t.Helper()
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	f = newFeed(Config{Auth: signer, BookingURL: bookingURL}, slog.New(slog.DiscardHandler))
	change(f)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- lifecycle.Group(ctx, lifecycle.Task{Name: "frames", Run: f.frames}, lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{Name: "mapfeed", Auth: signer, Routes: f.routes(),
				Env: lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}})
		}})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})

	return f, "ws://" + l.Addr().String() + "/v1/map", signer
}

func dial(t *testing.T, base string, signer *auth.Signer, id auth.Identity) *websocket.Conn {
	t.Helper()
	token, err := signer.Sign(id, time.Minute)
	require.NoError(t, err)
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), base, http.Header{"Authorization": {"Bearer " + token}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func next(t *testing.T, conn *websocket.Conn) (kind int, b []byte) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	kind, b, err := conn.ReadMessage()
	require.NoError(t, err)
	return kind, b
}

// nextText skips frames of positions.
func nextText(t *testing.T, conn *websocket.Conn) map[string]any {
	t.Helper()
	for {
		if kind, b := next(t, conn); kind == websocket.TextMessage {
			out := map[string]any{}
			require.NoError(t, json.Unmarshal(b, &out))
			return out
		}
	}
}

func nextFrame(t *testing.T, conn *websocket.Conn) (byte, []seen) {
	t.Helper()
	for {
		if kind, b := next(t, conn); kind == websocket.BinaryMessage {
			return decodeFrame(t, b)
		}
	}
}

func point(driver string, seq int64, lat, lon float64) event.Point {
	return event.Point{Driver: driver, Seq: seq, At: seq, Lat: lat, Lon: lon, Speed: new(9.0), Heading: new(90.0)}
}

var viewer = auth.Identity{Subject: "viewer", Role: auth.Viewer}

func TestAClientSeesWhatLiesInItsView(t *testing.T) {
	f, base, signer := start(t, "")
	f.world.apply(point("in", 1, -34.9, -56.2), time.Now())
	f.world.apply(point("out", 1, -30, -50), time.Now())

	conn := dial(t, base, signer, viewer)
	require.Equal(t, "hello", nextText(t, conn)["type"])
	require.NoError(t, conn.WriteJSON(message{Type: "view", West: new(float64(-57)), South: new(float64(-35)), East: new(float64(-56)), North: new(float64(-34))}))
	kind, vehicles := nextFrame(t, conn)
	require.Equal(t, byte(kindAll), kind, "a new view begins with everything in it")
	require.Len(t, vehicles, 1)
	require.InDelta(t, -34.9, vehicles[0].lat, 1e-6)

	f.world.apply(point("in", 2, -34.91, -56.2), time.Now())
	f.world.apply(point("out", 2, -30.1, -50), time.Now())
	kind, vehicles = nextFrame(t, conn)
	require.Equal(t, byte(kindMoved), kind)
	require.Len(t, vehicles, 1)
	require.Equal(t, int64(2), vehicles[0].at)

	require.NoError(t, conn.WriteJSON(message{Type: "view", West: new(float64(0)), South: new(float64(80)), East: new(float64(1)), North: new(float64(20))}))
	require.Equal(t, "error", nextText(t, conn)["type"])
	require.NoError(t, conn.WriteJSON(map[string]string{"type": "nonsense"}))
	require.Equal(t, "error", nextText(t, conn)["type"])
}

// A client that reads nothing delays nobody, and what the others see of a
// vehicle only goes forward.
func TestASlowClientDelaysNobody(t *testing.T) {
	f, base, signer := start(t, "")
	stuck := dial(t, base, signer, viewer)
	require.NoError(t, stuck.WriteJSON(message{Type: "view", West: new(float64(-57)), South: new(float64(-35)), East: new(float64(-56)), North: new(float64(-34))}))
	var conns []*websocket.Conn
	for range 20 {
		conn := dial(t, base, signer, viewer)
		require.NoError(t, conn.WriteJSON(message{Type: "view", West: new(float64(-57)), South: new(float64(-35)), East: new(float64(-56)), North: new(float64(-34))}))
		conns = append(conns, conn)
	}

	const last = 30
	go func() {
		for seq := int64(1); seq <= last; seq++ {
			for d := range 400 {
				f.world.apply(point(fmt.Sprint(d), seq, -34.5, -56.5), time.Now())
			}
			f.handOut()
		}
	}()

	for _, conn := range conns {
		newest := map[uint32]int64{}
		done := 0
		for done < 400 {
			_, vehicles := nextFrame(t, conn)
			for _, v := range vehicles {
				require.GreaterOrEqual(t, v.at, newest[v.id], "never an older point after a newer")
				if v.at == last && newest[v.id] < last {
					done++
				}
				newest[v.id] = v.at
			}
		}
	}
}

// lookAtAll returns every vehicle as a round has it.
func lookAtAll(t *testing.T, w *world, behind time.Duration) (all []seen, newNumbers bool) {
	t.Helper()
	r := w.look(behind, true)
	_, all = decodeFrame(t, setHead(append(make([]byte, headBytes), r.all.bytes...), kindAll, 0, w.now()))
	return all, r.newNumbers
}

func TestNumbersChangeForAllWithTheEpoch(t *testing.T) {
	w := newWorld([]byte("key"))
	now := time.UnixMilli(epochLength.Milliseconds() * 5)
	w.now = func() time.Time { return now }
	w.apply(point("d", 1, 0, 0), now)
	all, _ := lookAtAll(t, w, 0)
	before := all[0].id
	require.Equal(t, before, w.vehicleOf("d"))

	now = now.Add(epochLength)
	w.apply(point("d", 2, 0, 0), now)
	all, newNumbers := lookAtAll(t, w, 0)
	require.True(t, newNumbers)
	require.NotEqual(t, before, all[0].id)
	require.NotEqual(t, newWorld([]byte("other")).pseudonym("d", 6), all[0].id, "another key, other numbers")

	now = now.Add(silentAfter + time.Second)
	all, _ = lookAtAll(t, w, 0)
	require.Empty(t, all, "a silent driver is gone")
}

func TestRideEventsComeWithTheClientsOwnRights(t *testing.T) {
	var signer *auth.Signer
	var connections int
	booking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := signer.Verify(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if err != nil || id.Subject != "p1" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"code":"not_found","detail":"There is no such ride of yours."}`)
			return
		}
		if !strings.HasSuffix(r.URL.Path, "/events") {
			_, _ = io.WriteString(w, `{"state":"arrived","driver_id":"d1"}`)
			return
		}
		connections++
		w.Header().Set("Content-Type", "text/event-stream")
		if connections == 3 { // who has event 1 is not told it again
			_, _ = io.WriteString(w, "id: 1\nevent: requested\ndata: {\"seq\":1,\"kind\":\"requested\",\"data\":{}}\n\n")
		}
		if connections == 1 {
			_, _ = io.WriteString(w, "id: 1\nevent: requested\ndata: {\"seq\":1,\"kind\":\"requested\",\"data\":{}}\n\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler) // booking dies
		}
		_, _ = fmt.Fprintf(w, "id: 2\nevent: assigned\ndata: {\"seq\":2,\"kind\":\"assigned\",\"after\":%q,\"data\":{\"driver_id\":\"d1\"}}\n\n", r.Header.Get("Last-Event-ID"))
	}))
	defer booking.Close()
	f, base, k := start(t, booking.URL)
	signer = k

	conn := dial(t, base, k, auth.Identity{Subject: "p1", Role: auth.Rider})
	require.Equal(t, "hello", nextText(t, conn)["type"])
	require.NoError(t, conn.WriteJSON(message{Type: "ride", RideID: "r1"}))
	first := nextText(t, conn)
	require.Equal(t, "requested", first["event"].(map[string]any)["kind"])

	vehicle := nextText(t, conn)
	require.Equal(t, "vehicle", vehicle["type"], "its own driver's number")
	require.InDelta(t, float64(f.world.vehicleOf("d1")), vehicle["vehicle"], 0)

	second := nextText(t, conn)["event"].(map[string]any)
	require.Equal(t, "assigned", second["kind"])
	require.Equal(t, "1", second["after"], "it goes on from the last event")

	// Who connects again tells what it has, and is told the car's number again.
	again := dial(t, base, k, auth.Identity{Subject: "p1", Role: auth.Rider})
	require.Equal(t, "hello", nextText(t, again)["type"])
	require.NoError(t, again.WriteJSON(message{Type: "ride", RideID: "r1", After: "1"}))
	require.Equal(t, "vehicle", nextText(t, again)["type"])
	require.Equal(t, "assigned", nextText(t, again)["event"].(map[string]any)["kind"])

	other := dial(t, base, k, auth.Identity{Subject: "p2", Role: auth.Rider})
	require.Equal(t, "hello", nextText(t, other)["type"])
	require.NoError(t, other.WriteJSON(message{Type: "ride", RideID: "r1"}))
	require.Equal(t, "error", nextText(t, other)["type"])
	require.NoError(t, other.WriteJSON(message{Type: "driver"}))
	require.Equal(t, "error", nextText(t, other)["type"])
}

func TestADriversNumberIsToldForItsRideOnly(t *testing.T) {
	requeue := make(chan struct{})
	booking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event := func(seq int, kind, driver string) {
			_, _ = fmt.Fprintf(w, "id: %d\ndata: {\"seq\":%[1]d,\"kind\":%q,\"data\":{\"driver_id\":%q}}\n\n", seq, kind, driver)
			w.(http.Flusher).Flush()
		}
		switch r.URL.Path {
		case "/v1/rides/ended":
			_, _ = io.WriteString(w, `{"state":"completed","driver_id":"d1"}`)
		case "/v1/rides/ended/events":
			event(1, "assigned", "d1")
			event(2, "completed", "d1")
		case "/v1/rides/lost":
			_, _ = io.WriteString(w, `{"state":"assigned","driver_id":"d2"}`)
		case "/v1/rides/lost/events":
			event(1, "assigned", "d0") // before d2 was
			event(2, "requeued", "")
			event(3, "assigned", "d2")
			select {
			case <-requeue:
				event(4, "requeued", "")
			case <-r.Context().Done():
			}
			<-r.Context().Done()
		}
	}))
	t.Cleanup(booking.Close)
	var later atomic.Int64
	f, base, signer := startWith(t, booking.URL, func(f *feed) {
		f.world.now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	conn := dial(t, base, signer, auth.Identity{Subject: "p1", Role: auth.Rider})
	require.Equal(t, "hello", nextText(t, conn)["type"])
	require.NoError(t, conn.WriteJSON(message{Type: "view", West: new(-57.0), South: new(-35.0), East: new(-56.0), North: new(-34.0)}))
	kind := func() any {
		text := nextText(t, conn)
		if e, ok := text["event"].(map[string]any); ok {
			return e["kind"]
		}
		if text["type"] == "vehicle" {
			return text["driver_id"]
		}
		return text["type"]
	}

	require.NoError(t, conn.WriteJSON(message{Type: "ride", RideID: "ended"}))
	require.Equal(t, []any{"assigned", "completed"}, []any{kind(), kind()}, "who drove it is somewhere else by now")

	require.NoError(t, conn.WriteJSON(message{Type: "ride", RideID: "lost"}))
	require.Equal(t, []any{"d2", "assigned", "requeued", "d2", "assigned"}, []any{kind(), kind(), kind(), kind(), kind()})

	// turn changes all numbers, and returns what texts the client is told meanwhile.
	turn := func() (told []any) {
		later.Add(epochLength.Nanoseconds())
		f.world.apply(point("near", f.world.now().UnixMilli(), -34.5, -56.5), f.world.now())
		for frames := 0; ; {
			switch k, b := next(t, conn); {
			case k == websocket.BinaryMessage:
				if frames++; frames == 2 { // the second is of a round that was begun after the turn
					require.NoError(t, conn.WriteJSON(message{Type: "no"}))
				}
			case strings.Contains(string(b), "error"):
				return told
			default:
				told = append(told, string(b))
			}
		}
	}
	require.Len(t, turn(), 1, "its new number")
	close(requeue)
	require.Equal(t, "requeued", kind())
	require.Empty(t, turn(), "it drives this rider no more")
}

func TestEncodeRoundTrip(t *testing.T) {
	now := time.Now()
	v := &vehicle{id: 7, point: point("d", 5, -34.1234567, -56.7654321), arrived: now}
	_, got := decodeFrame(t, setHead(appendVehicle(make([]byte, headBytes), v, now), kindMoved, 0, now))
	require.Len(t, got, 1)
	require.InDelta(t, -34.1234567, got[0].lat, 1e-7)
	require.InDelta(t, -56.7654321, got[0].lon, 1e-7)
}

func TestAFrameTellsWhatIsNotKnown(t *testing.T) {
	for members, want := range map[string][3]uint32{ // speed, heading, what is not known
		`,"speed":0,"heading":0`:       {0, 0, 0},
		`,"speed":1e5,"heading":359.9`: {math.MaxUint16, 35_990, 0},
		`,"heading":90`:                {0, 9_000, 1},
		`,"speed":9`:                   {900, 0, 2},
		``:                             {0, 0, 3},
	} {
		p, err := event.DecodePoint("d", []byte(`{"v":2,"seq":1,"lat":1,"lon":1`+members+`}`))
		require.NoError(t, err)
		b := appendVehicle(nil, &vehicle{point: p}, time.Now())
		require.Equal(t, want, [3]uint32{uint32(binary.LittleEndian.Uint16(b[12:])), uint32(binary.LittleEndian.Uint16(b[14:])), binary.LittleEndian.Uint32(b[28:])}, members)
	}
}

// While the stream is silent nothing is known of any car, also not that it has gone.
func TestNoCarVanishesWhileTheStreamIsSilent(t *testing.T) {
	w := newWorld([]byte("key"))
	now := time.Now()
	w.now = func() time.Time { return now }
	w.apply(point("d", 1, 0, 0), now)
	all, _ := lookAtAll(t, w, 0)
	require.Len(t, all, 1)

	now = now.Add(10 * silentAfter)
	all, _ = lookAtAll(t, w, 10*silentAfter)
	require.Len(t, all, 1)
	all, _ = lookAtAll(t, w, -1)
	require.Len(t, all, 1, "nobody knows how far behind the map is")

	all, _ = lookAtAll(t, w, time.Second)
	require.Empty(t, all, "the stream speaks again, without it")
}
