package history

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
	"tandem/services/test/pointstest"
)

func at(ms int64, lat, lon float64) point {
	return point{Seq: ms, At: fixTime(time.UnixMilli(ms)), Lat: lat, Lon: lon}
}

func TestSimplifyKeepsWhatIsOffTheLine(t *testing.T) {
	t.Parallel()
	// 0.001 degree of latitude is 111 m: an edge of 222 m, a turn, and one of 91 m.
	way := []point{at(1, -34.900, -56.2), at(2, -34.901, -56.20001), at(3, -34.902, -56.2), at(4, -34.902, -56.199)}
	require.Equal(t, []point{way[0], way[2], way[3]}, simplify(way, 5))
	require.Equal(t, []point{way[0], way[3]}, simplify(way, 1000))
	require.Equal(t, way, simplify(way, 0))
	require.Equal(t, way, simplify(way, 0.5), "it is 0.9 m off")

	there := []point{at(1, 0, 179.999), at(2, 0.01, -179.999), at(3, 0, 179.999)} // and back, over the date line
	require.Equal(t, there, simplify(there, 500))
}

// A rider sees its ride's way, and nothing of what its driver did before and after.
func TestARidesTrackEndsWithTheRide(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	began := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	after := func(minutes int) time.Time { return began.Add(time.Duration(minutes) * time.Minute) }
	var batch []points.Arrival
	for i := range 10 {
		batch = append(batch, arrival("d", after(i), after(i)), arrival("other", after(i), after(i)))
	}
	// Its sequence ran ahead of its fix into the ride.
	ahead := arrival("d", after(3).Add(time.Second), after(3))
	ahead.At = after(2).UnixMilli()
	apply(t, s, append(batch, ahead)...)

	picked, ended := after(3), after(7)
	ride := trip{DriverID: "d", PickedUpAt: &picked, EndedAt: &ended}
	var asked []auth.Identity
	s.ride = func(_ context.Context, asker auth.Identity, id string) (trip, error) {
		asked = append(asked, asker)
		if id != "r" || asker.Subject == "eve" {
			return trip{}, problem.New(problem.NotFound, "There is no such ride.")
		}
		return ride, nil
	}
	get := pointstest.Routes(t, routes(s))
	ana := auth.Identity{Subject: "ana", Role: auth.Rider}
	times := func(query string) (out []int, body map[string]any) {
		code, body := get(ana, "/v1/rides/r/track"+query)
		require.Equal(t, http.StatusOK, code, body)
		for _, ms := range body["properties"].(map[string]any)["times"].([]any) {
			out = append(out, int(time.UnixMilli(int64(ms.(float64))).Sub(began)/time.Minute))
		}
		return out, body
	}

	all, body := times("")
	require.Equal(t, []int{3, 4, 5, 6}, all)
	require.Equal(t, "LineString", body["geometry"].(map[string]any)["type"])
	require.NotContains(t, body, "next")
	require.Equal(t, ana, asked[0], "booking hears who asks")
	before, _ := times("?from=" + after(0).UTC().Format(time.RFC3339Nano))
	require.Equal(t, all, before)

	_, body = times("?limit=3") // 3, the one of before, 4
	next := time.UnixMilli(int64(body["next"].(float64))).UTC().Format(time.RFC3339Nano)
	rest, _ := times("?from=" + next)
	require.Equal(t, []int{5, 6}, rest)

	ride.EndedAt = nil
	under, _ := times("")
	require.Equal(t, []int{3, 4, 5, 6, 7, 8, 9}, under, "it is under way")
	ride.PickedUpAt = nil
	none, body := times("")
	require.Empty(t, none, "a driver is on its way to the rider, whose home is elsewhere")
	require.Nil(t, body["geometry"])
	require.NotContains(t, body["properties"], "driver_id")

	code, _ := get(auth.Identity{Subject: "eve", Role: auth.Rider}, "/v1/rides/r/track")
	require.Equal(t, http.StatusNotFound, code)
	code, _ = get(ana, "/v1/drivers/d/track")
	require.Equal(t, http.StatusForbidden, code)
}
