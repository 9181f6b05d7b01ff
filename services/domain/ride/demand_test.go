package ride_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/golang/geo/s2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/areas"
	"tandem/services/domain/geo"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
)

// asked is a request, as an attacker does not know it.
type asked struct {
	rider string
	from  geo.Point
	at    time.Time
}

// book books them, at their times.
func book(t *testing.T, pool *pgxpool.Pool, all []asked) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		var b pgx.Batch
		for _, a := range all {
			b.Queue(`INSERT INTO ride.rides (id, rider_id, state, pickup_lat, pickup_lon, pickup_label, dropoff_lat, dropoff_lon, dropoff_label,
					distance_m, duration_s, price_minor, currency, idempotency_key, body_hash, requested_at, expires_at, ended_at)
				VALUES (gen_random_uuid(), $1, 'cancelled', $2, $3, '', 0, 0, '', 1, 1, 1, 'UYU', gen_random_uuid()::text, '', $4, $4, $4)`, a.rider, a.from.Lat, a.from.Lon, a.at)
		}
		return tx.SendBatch(t.Context(), &b).Close()
	})
	require.NoError(t, err)
}

// TestDemandShowsNobody asks for the demand of random bookings, before and after late
// ones, by another process too. Each area is of five distinct riders or more who asked in
// its span, and a span's map stays: nothing can be subtracted, since spans do not
// overlap and package areas' test has that the areas of one do not.
func TestDemandShowsNobody(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	began := time.Now().UTC().Truncate(ride.DemandSpan).Add(-4 * ride.DemandSpan)
	shown := 0
	for seed := range uint64(6) {
		_, err := pool.Exec(t.Context(), `TRUNCATE ride.demand, ride.rides CASCADE`)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test's own
		some := func(riders string) (out []asked) {
			for range 300 {
				at := began.Add(time.Duration(rng.Int64N(int64(3 * ride.DemandSpan))))
				if rng.IntN(10) == 0 { // on an edge
					at = at.Truncate(ride.DemandSpan)
				}
				out = append(out, asked{
					fmt.Sprint(riders, rng.IntN(60)), geo.Point{Lat: -34.9 + 0.02*rng.NormFloat64(), Lon: -56.19 + 0.02*rng.NormFloat64()}, at.Truncate(time.Microsecond),
				})
			}
			return out
		}
		early := some("r")
		book(t, pool, early)
		maps := map[time.Time][]ride.DemandArea{}
		for i := range 3 {
			from := began.Add(time.Duration(i) * ride.DemandSpan)
			present := map[s2.CellID][]string{}
			for _, a := range early {
				if c := s2.CellID(geo.Cell(a.from, areas.Level)); a.at.Truncate(ride.DemandSpan).Equal(from) {
					present[c] = append(present[c], a.rider)
				}
			}
			maps[from] = []ride.DemandArea{}
			for _, a := range areas.Partition(present) {
				maps[from] = append(maps[from], ride.DemandArea{Cell: a.Cell, Class: areas.Class(a.People)})
			}
			got, err := s.Demand(t.Context(), from)
			require.NoError(t, err)
			require.Equal(t, maps[from], got)
			shown += len(got)
		}

		book(t, pool, some("late"))
		for from, want := range maps {
			got, err := ride.NewStore(pool, profile.Fast()).Demand(t.Context(), from)
			require.NoError(t, err)
			require.Equal(t, want, got, "after late bookings")
		}
	}
	require.Greater(t, shown, 50)
}

// Two who compute one span answer the same, whoever was first; and what is long over
// leaves, while what may be asked for stays.
func TestTheFirstMapOfDemandStays(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	now := time.Now().UTC().Truncate(ride.DemandSpan)
	oldest, gone := now.Add(-ride.DemandBack-ride.DemandSpan), now.Add(-3*ride.DemandBack)
	for _, from := range []time.Time{gone, oldest, now} {
		_, err := s.Demand(t.Context(), from)
		require.NoError(t, err)
	}

	var kept []time.Time
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT array_agg(from_at ORDER BY from_at) FROM ride.demand`).Scan(&kept))
	require.Len(t, kept, 2)
	require.True(t, kept[0].Equal(oldest))

	span := now.Add(-2 * ride.DemandSpan)
	crowd := func(lat float64) (all []asked) {
		for i := range 5 {
			all = append(all, asked{fmt.Sprint("r", i, lat), geo.Point{Lat: lat, Lon: -56.19}, span.Add(time.Minute)})
		}
		return all
	}
	book(t, pool, crowd(-34.9))
	require.NoError(t, ride.KeepDemand(s, t.Context(), span))
	book(t, pool, crowd(-34.8))
	require.NoError(t, ride.KeepDemand(s, t.Context(), span))
	got, err := s.Demand(t.Context(), span)
	require.NoError(t, err)
	require.Len(t, got, 1)
}
