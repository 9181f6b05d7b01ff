package dispatch

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
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
	require.Equal(t, []string{"near", "far"}, got)

	nearby.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = f.Find(ctx, pickup, nil)
	require.Error(t, err)
}
