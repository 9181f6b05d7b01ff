package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
)

func TestTheSoonestByStreetComesFirst(t *testing.T) {
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)

	nearby := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("lat") != "-34.9" {
			t.Errorf("asked for %s", r.URL)
		}
		_, _ = w.Write([]byte(`{"drivers":[{"driver_id":"far","lat":-34.95,"lon":-56.1},{"driver_id":"busy","lat":-34.9,"lon":-56.1},` +
			`{"driver_id":"near","lat":-34.91,"lon":-56.1}]}`))
	}))
	defer nearby.Close()

	streets, err := city.Load()
	require.NoError(t, err)
	f := nearbyFinder{client: httpclient.ForService(nearby.URL, signer, "w1"), times: streets.TravelTimes}

	pickup := geo.Point{Lat: -34.9, Lon: -56.1}
	got, err := f.Find(t.Context(), pickup, func(_ context.Context, near []string) ([]string, error) {
		require.Equal(t, []string{"far", "busy", "near"}, near)
		return []string{"far", "near"}, nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"near", "far"}, idsOf(got))

	nearby.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = f.Find(ctx, pickup, nil)
	require.Error(t, err)
}

// The 40 nearest are busy, and 200 more; the next one is free.
func TestTheNearestFreeDriverIsFoundBehindManyBusyOnes(t *testing.T) {
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	nearby := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil {
			t.Error(err)
		}
		drivers := []map[string]any{}
		for i := range min(limit, 250) {
			drivers = append(drivers, map[string]any{"driver_id": fmt.Sprint("d", i), "lat": -34.9, "lon": -56.1})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"drivers": drivers})
	}))
	defer nearby.Close()
	f := nearbyFinder{client: httpclient.ForService(nearby.URL, signer, "w1"), times: func(_ geo.Point, from []geo.Point) []time.Duration {
		require.LessOrEqual(t, len(from), 40, "routing is what costs time")
		return make([]time.Duration, len(from))
	}}

	free := func(from int) func(context.Context, []string) ([]string, error) {
		return func(_ context.Context, near []string) ([]string, error) { return near[min(len(near), from):], nil }
	}
	got, err := f.Find(t.Context(), geo.Point{Lat: -34.9, Lon: -56.1}, free(240))
	require.NoError(t, err)
	require.Equal(t, []string{"d240", "d241", "d242", "d243", "d244", "d245", "d246", "d247", "d248", "d249"}, idsOf(got))

	got, err = f.Find(t.Context(), geo.Point{Lat: -34.9, Lon: -56.1}, free(250))
	require.NoError(t, err)
	require.Empty(t, got, "there are no more")
}

// A car 12 m from the pick-up would take 29 s by street, as it is measured on the wrong
// side of a one-way street: another that comes in 20 s is not there sooner.
func TestACarBesideThePickupIsThere(t *testing.T) {
	streets, err := city.Load()
	require.NoError(t, err)
	f := nearbyFinder{times: streets.TravelTimes}
	pickup := geo.Point{Lat: -34.906502, Lon: -56.19976} // Plaza Independencia
	beside := candidate{ID: "beside", Point: geo.Point{Lat: -34.9066, Lon: -56.1997}}
	require.Greater(t, streets.TravelTimes(pickup, []geo.Point{beside.Point})[0], 20*time.Second)

	behind := candidate{ID: "behind", Point: geo.Point{Lat: -34.9066, Lon: -56.1993}} // 44 m away, too far to walk
	got := f.Times(pickup, []candidate{behind, beside})
	require.Equal(t, []string{"beside", "behind"}, idsOf(got))
	require.InDelta(t, 8.7, got[0].away.Seconds(), 0.2)
	require.Equal(t, streets.TravelTimes(pickup, []geo.Point{behind.Point})[0], got[1].away)
}
