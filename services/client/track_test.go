package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// location takes points, and can go away and come back at the same address.
type location struct {
	address string
	srv     *http.Server
	arrived chan []int64 // the sequences of each request
	answer  chan int     // of each request, in turn: a status
}

func newLocation(t *testing.T) *location {
	t.Helper()
	l := &location{address: "127.0.0.1:0", arrived: make(chan []int64), answer: make(chan int)}
	l.comeBack(t)
	t.Cleanup(l.goAway)
	return l
}

func (l *location) comeBack(t *testing.T) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", l.address)
	require.NoError(t, err)
	l.address = listener.Addr().String()
	l.srv = &http.Server{Handler: l, ReadHeaderTimeout: patience}
	go func() { _ = l.srv.Serve(listener) }()
}

func (l *location) goAway() { _ = l.srv.Close() }

func (l *location) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/tokens" {
		_ = json.NewEncoder(w).Encode(map[string]any{"token": "T", "expires_at": time.Now().Add(time.Hour).UnixMilli()})
		return
	}

	var in struct{ Points []client.Point }
	_ = json.NewDecoder(r.Body).Decode(&in)
	seqs := make([]int64, len(in.Points))
	for i, p := range in.Points {
		seqs[i] = p.Seq
	}
	l.arrived <- seqs
	if status := <-l.answer; status != http.StatusAccepted {
		refuse(w, problem.New(problem.Unavailable, "the stream is away"))
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"accepted": len(seqs), "accepted_through": seqs[len(seqs)-1]})
}

func (l *location) track(limit int) *client.Track {
	return client.NewTrack(client.New(client.Options{GatewayURL: "http://" + l.address}).As(auth.Driver, "d"), 0, limit)
}

// add adds fixes whose sequences are from … to.
func add(track *client.Track, from, to int64) {
	for at := from; at <= to; at++ {
		track.Add(client.Point{At: at})
	}
}

// flush sends what waits beside the test.
func flush(t *testing.T, track *client.Track) (ended chan error) {
	t.Helper()
	ended = make(chan error, 1)
	go func() { ended <- track.Flush(t.Context()) }()
	return ended
}

func TestTrackDropsTheOldestWhileTandemIsAway(t *testing.T) {
	l := newLocation(t)
	track := l.track(5)
	add(track, 1, 2)
	ended := flush(t, track)
	require.Equal(t, []int64{1, 2}, <-l.arrived)
	l.answer <- http.StatusAccepted
	require.NoError(t, <-ended)

	l.goAway()
	for seq := int64(3); seq <= 10; seq++ {
		add(track, seq, seq)
		require.True(t, client.Temporary(track.Flush(t.Context())))
	}
	require.Equal(t, 5, track.Waiting())
	require.EqualValues(t, 3, track.Dropped())

	l.comeBack(t)
	ended = flush(t, track)
	require.Equal(t, []int64{6, 7, 8, 9, 10}, <-l.arrived, "the newest, in order")
	l.answer <- http.StatusAccepted
	require.NoError(t, <-ended)
	require.Zero(t, track.Waiting())
	require.EqualValues(t, 3, track.Dropped())
}

// What is in flight may be durable already: it stays until an answer names it, and
// goes again where none does.
func TestTrackKeepsWhatIsInFlight(t *testing.T) {
	l := newLocation(t)
	track := l.track(5)
	add(track, 1, 2)
	ended := flush(t, track)
	require.Equal(t, []int64{1, 2}, <-l.arrived)

	add(track, 3, 8)
	require.Equal(t, 5, track.Waiting())
	require.EqualValues(t, 3, track.Dropped())
	l.answer <- http.StatusServiceUnavailable
	require.Error(t, <-ended)

	add(track, 9, 9) // nothing is in flight now
	require.EqualValues(t, 4, track.Dropped())
	ended = flush(t, track)
	require.Equal(t, []int64{2, 6, 7, 8, 9}, <-l.arrived)

	add(track, 10, 11) // all is in flight: the fix itself is the oldest that is not
	require.EqualValues(t, 6, track.Dropped())
	l.answer <- http.StatusAccepted
	require.NoError(t, <-ended)
	require.Zero(t, track.Waiting())
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

// An outage that costs fixes is logged at its begin and at its end, and not each second.
func TestADriverSaysWhatItDropped(t *testing.T) {
	const begins, ends = "the oldest are dropped", "fixes of an outage were dropped"
	g := &gateway{gone: map[string]client.Offer{}}
	var away atomic.Bool
	var tries atomic.Int32
	api := tandem(t, func(w http.ResponseWriter, r *http.Request) {
		if away.Load() && strings.HasSuffix(r.URL.Path, "/points") {
			tries.Add(1)
			refuse(w, problem.New(problem.Unavailable, "the stream is away"))
			return
		}
		g.ServeHTTP(w, r)
	})
	log := &lines{}
	d := client.NewDriver(api.As(auth.Driver, "d"), noStreets{}, geo.Point{Lat: -34.9, Lon: -56.2}, client.Policy{})
	d.StepEvery(time.Millisecond)
	d.KeepAtMost(5)
	d.Log = slog.New(slog.NewTextHandler(log, nil))
	ctx, stop := context.WithCancel(t.Context())
	require.NoError(t, d.Start(ctx))
	away.Store(true)
	var running sync.WaitGroup
	running.Go(func() { d.Run(ctx) })
	defer running.Wait()
	defer stop()

	require.Eventually(t, func() bool { return log.count(begins) > 0 }, patience, look)
	before := tries.Load()
	require.Eventually(t, func() bool { return tries.Load() > before+3 }, patience, look)
	require.Zero(t, log.count(ends))
	away.Store(false)
	require.Eventually(t, func() bool { return log.count(ends) > 0 }, patience, look)
	require.Equal(t, 1, log.count(begins))
}
