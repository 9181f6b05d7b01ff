package nearby

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// near is what a look at every driver would find.
func TestNearIsWhatALookAtEveryDriverFinds(t *testing.T) {
	now := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		x := newIndex()
		x.now = func() time.Time { return now }
		points := map[string]event.Point{}
		lat, lon := rapid.Float64Range(-34.95, -34.80), rapid.Float64Range(-56.30, -56.00)
		for i := range rapid.IntRange(1, 60).Draw(t, "moves") {
			p := event.Point{Driver: fmt.Sprint("d", rapid.IntRange(0, 20).Draw(t, "driver")), Seq: int64(i), Lat: lat.Draw(t, "lat"), Lon: lon.Draw(t, "lon")}
			x.apply(p, now)
			points[p.Driver] = p
		}
		from := geo.Point{Lat: lat.Draw(t, "from lat"), Lon: lon.Draw(t, "from lon")}
		within := rapid.Float64Range(500, 20_000).Draw(t, "within")
		type hit struct {
			id string
			d  float64
		}
		var want []hit
		for id, p := range points {
			if d := geo.Distance(from, geo.Point{Lat: p.Lat, Lon: p.Lon}); d <= within {
				want = append(want, hit{id, d})
			}
		}
		slices.SortFunc(want, func(a, b hit) int { return cmp.Compare(a.d, b.d) })
		got := x.near(from, 5, within)
		require.Len(t, got, min(5, len(want)))
		for i, g := range got {
			require.InDelta(t, want[i].d, g.DistanceM, 0.6+want[i].d*0.002, "in order of distance")
		}
	})
}

func TestWhatIsNotKnownIsNull(t *testing.T) {
	x := newIndex()
	x.apply(event.Point{Driver: "d", Seq: 1, Speed: new(0.0)}, time.Now())

	b, err := json.Marshal(x.near(geo.Point{}, 1, 100)[0])

	require.NoError(t, err)
	require.Contains(t, string(b), `"heading":null,"speed":0,`)
}

func TestASilentDriverIsForgotten(t *testing.T) {
	x := newIndex()
	now := time.Now()
	x.now = func() time.Time { return now }
	x.apply(event.Point{Driver: "d", Seq: 1, Lat: -34.9, Lon: -56.2}, now)
	here := geo.Point{Lat: -34.9, Lon: -56.2}
	require.Len(t, x.near(here, 8, 100), 1)
	now = now.Add(silentAfter + time.Second)
	require.Empty(t, x.near(here, 8, 100), "at once")
	x.forget()
	require.Zero(t, x.size())
	require.Zero(t, x.byPlace.Len(), "in the tree neither")
}

// A process that was stopped for long has the points of before: those drivers are not
// silent, they are not known.
func TestWithoutTheStreamNobodyIsKnownToBeNearOrSilent(t *testing.T) {
	now := time.Now()
	every, some := now, now
	x := newIndex()
	x.now, x.through = func() time.Time { return now }, func() (time.Time, time.Time) { return every, some }
	x.apply(event.Point{Driver: "d", Seq: 1, Lat: -34.9, Lon: -56.2}, now)
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	token, err := signer.Sign(auth.Identity{Subject: "dispatch", Role: auth.Service}, time.Minute)
	require.NoError(t, err)
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{Name: name, Auth: signer, Routes: routes(x), Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}})
	require.NoError(t, err)

	body := ""
	ask := func(path string) int {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body = w.Body.String()
		return w.Code
	}
	near, last := "/v1/nearby?lat=-34.9&lon=-56.2", "/v1/nearby/d"
	require.Equal(t, []int{http.StatusOK, http.StatusOK}, []int{ask(last), ask(near)})
	require.Contains(t, body, `"complete":true`)

	now = now.Add(2 * silentAfter)
	require.Equal(t, []int{http.StatusServiceUnavailable, http.StatusServiceUnavailable}, []int{ask(near), ask(last)})

	every, some = now.Add(-time.Second), now
	require.Equal(t, []int{http.StatusOK, http.StatusNotFound}, []int{ask(near), ask(last)}, "now it is silent")

	// One shard is not read: its drivers are not known, whoever is known still is.
	x.apply(event.Point{Driver: "d", Seq: 2, Lat: -34.9, Lon: -56.2}, now)
	for _, every = range []time.Time{now.Add(-2 * blindAfter), {}} {
		require.Equal(t, []int{http.StatusServiceUnavailable, http.StatusOK}, []int{ask("/v1/nearby/e"), ask(last)})
		require.Equal(t, http.StatusOK, ask(near))
		require.Contains(t, body, `"complete":false,"drivers":[{"driver_id":"d"`)
	}
}

func TestLastIsOfADriverHeardOfLately(t *testing.T) {
	now := time.Now()
	x := newIndex()
	x.now = func() time.Time { return now }
	x.apply(event.Point{Driver: "d", Seq: 1, At: 7, Lat: 1, Lon: 2}, now)

	p, ok := x.last("d")
	require.True(t, ok)
	require.EqualValues(t, 7, p.At)
	_, ok = x.last("e")
	require.False(t, ok)
	now = now.Add(silentAfter + time.Second)
	_, ok = x.last("d")
	require.False(t, ok, "nobody knows where a silent driver is")
}
