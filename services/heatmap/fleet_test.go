package heatmap

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/golang/geo/s2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/areas"
	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
	"tandem/services/test/pointstest"
)

func cellAt(lat, lon float64) s2.CellID {
	return s2.CellIDFromLatLng(s2.LatLngFromDegrees(lat, lon)).Parent(level)
}

// spot is a finest cell in a minute: what public areas are made of.
type spot struct {
	minute time.Time
	cell   s2.CellID
}

// fleet says who was where.
type fleet map[spot][]string

// seenAt returns who was in any of the spots.
func (f fleet) seenAt(spots map[spot]bool) map[string]bool {
	out := map[string]bool{}
	for at := range spots {
		for _, d := range f[at] {
			out[d] = true
		}
	}
	return out
}

// randomFleet moves drivers about in minutes, some in a town and some far from it.
func randomFleet(rng *rand.Rand, minutes []time.Time) fleet {
	out := fleet{}
	for d := range 5 + rng.IntN(120) {
		spread := []float64{0.01, 0.05, 0.4}[rng.IntN(3)]
		lat, lon := -34.9+spread*rng.NormFloat64(), -56.2+spread*rng.NormFloat64()
		for _, m := range minutes {
			for range rng.IntN(4) { // 0: it is off duty
				at := spot{m, cellAt(lat, lon)}
				if driver := fmt.Sprint("d", d); !slices.Contains(out[at], driver) {
					out[at] = append(out[at], driver)
				}
				lat, lon = lat+0.004*rng.NormFloat64(), lon+0.004*rng.NormFloat64()
			}
		}
	}
	return out
}

func (f fleet) store(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	var rows [][]any
	for at, drivers := range f {
		for _, d := range drivers {
			rows = append(rows, []any{at.minute, int64(at.cell), d}) //nolint:gosec // all 64 bits are kept
		}
	}
	_, err := pool.CopyFrom(t.Context(), pgx.Identifier{"heatmap", "presence"}, []string{"window_at", "cell", "driver"}, pgx.CopyFromRows(rows))
	require.NoError(t, err)
}

// spots returns which of the fleet's spots an answer's cell counts: those in it and in no finer
// cell of the answer.
func (f fleet) spots(answer publicMap, cell s2.CellID) map[spot]bool {
	out := map[spot]bool{}
	for at := range f {
		if at.minute.Before(answer.From) || !at.minute.Before(answer.To) || !cell.Contains(at.cell) {
			continue
		}
		inFiner := slices.ContainsFunc(answer.Cells, func(c publicCell) bool { return c.id != cell && cell.Contains(c.id) && c.id.Contains(at.cell) })
		if !inFiner {
			out[at] = true
		}
	}
	return out
}

// TestNothingCanBeSubtracted asks for the public map of random fleets as somebody would
// who is after one driver, and subtracts every cell of every answer from every other. The
// attacks tried: between levels, within an answer and by viewports of any size; between
// minutes, also those that a time lies in by a fraction; between viewports; between
// what is answered before and after late points, by another replica too. No cell and no
// difference of two is of fewer than five drivers.
func TestNothingCanBeSubtracted(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	attacked := 0
	for seed := range uint64(8) {
		_, err := pool.Exec(t.Context(), `TRUNCATE heatmap.presence, heatmap.shown`)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test's own
		newest := newestMinute(time.Now())
		minutes := []time.Time{newest.Add(-2 * time.Minute), newest.Add(-time.Minute), newest}
		f := randomFleet(rng, minutes)
		f.store(t, pool)

		ask := asker(t, newService(caughtUp(pool)))
		var answers []publicMap
		for _, m := range minutes {
			answers = append(answers, ask(m, "")) // fixed from now on
		}

		late := randomFleet(rng, minutes)
		for at := range late {
			late[at] = slices.DeleteFunc(late[at], func(d string) bool { return slices.Contains(f[at], d) })
		}
		late.store(t, pool)
		ask = asker(t, newService(caughtUp(pool)))
		for range 12 {
			at := minutes[rng.IntN(len(minutes))].Add(time.Duration(rng.Int64N(int64(time.Minute))))
			lat, lon, half := -34.9+0.1*rng.NormFloat64(), -56.2+0.1*rng.NormFloat64(), 0.2*rng.Float64()*rng.Float64()
			answers = append(answers, ask(at, fmt.Sprintf("%f,%f,%f,%f", lon-half, lat-half, lon+half, lat+half)))
		}
		for i, m := range minutes {
			require.Equal(t, answers[i], ask(m, ""), "what others ask for changes no map")
		}
		attacked += f.attack(t, answers)
	}
	require.Greater(t, attacked, 50)
}

// asker returns a function that asks for a public map as anybody.
func asker(t *testing.T, s *service) func(at time.Time, box string) publicMap {
	t.Helper()
	get := pointstest.Routes(t, s.routes())
	return func(at time.Time, box string) (out publicMap) {
		t.Helper()
		code, m := get(auth.Identity{Subject: "x", Role: auth.Viewer}, fmt.Sprintf("/v1/heatmap?at=%d&box=%s", at.UnixMilli(), box))
		require.Equal(t, http.StatusOK, code, m)
		var err error
		out.From, err = time.Parse(time.RFC3339, m["from"].(string))
		require.NoError(t, err)
		out.To, err = time.Parse(time.RFC3339, m["to"].(string))
		require.NoError(t, err)
		for _, c := range m["cells"].([]any) {
			c := c.(map[string]any)
			out.Cells = append(out.Cells, publicCell{id: s2.CellIDFromToken(c["cell"].(string)), Shown: areas.Shown{Class: c["class"].(string)}})
		}
		return out
	}
}

// attack subtracts all that was answered, and returns how many cells that was.
func (f fleet) attack(t *testing.T, answers []publicMap) int {
	t.Helper()
	var seen []map[spot]bool
	for _, answer := range answers {
		for _, c := range answer.Cells {
			spots := f.spots(answer, c.id)
			who := len(f.seenAt(spots))
			require.GreaterOrEqual(t, who, areas.AtLeast, "%s at %s", c.id.ToToken(), answer.From)
			require.Equal(t, areas.Class(who), c.Class, "%s at %s", c.id.ToToken(), answer.From)
			if !slices.ContainsFunc(seen, func(b map[spot]bool) bool { return maps.Equal(spots, b) }) {
				seen = append(seen, spots)
			}
		}
	}
	for i, a := range seen {
		for j, b := range seen {
			less := maps.Clone(a)
			maps.DeleteFunc(less, func(at spot, _ bool) bool { return b[at] })
			require.True(t, i == j || len(f.seenAt(less)) >= areas.AtLeast, "%v less %v", a, b)
		}
	}
	return len(seen)
}

// TestTwoHundredDriversAreSeen has a fleet of the demo's size where the demo starts it: the
// first fifteen seconds of a minute, at 8 m/s, are enough for a map.
func TestTwoHundredDriversAreSeen(t *testing.T) {
	t.Parallel()
	c, err := city.Load()
	require.NoError(t, err)
	for _, hour := range []int{3, 8, 13, 18, 22} {
		present := map[s2.CellID][]string{}
		for d := range uint64(200) {
			rng := rand.New(rand.NewPCG(d, 18)) //nolint:gosec // a test's own
			start, north, east := c.RandomPlace(rng, hour).Point, rng.NormFloat64(), rng.NormFloat64()
			for s := range 16 {
				const degree = geo.EarthRadiusM * math.Pi / 180
				went := 8 * float64(s) / degree / math.Hypot(north, east)
				at := cellAt(start.Lat+went*north, start.Lon+went*east)
				present[at] = append(present[at], fmt.Sprint(d))
			}
		}

		shown := len(areas.Partition(present))
		t.Logf("at %d h: %d areas", hour, shown)
		require.GreaterOrEqual(t, shown, 15)
	}
}
