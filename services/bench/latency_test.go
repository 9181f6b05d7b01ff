package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
	"tandem/services/test/testenv"
)

// upTo measures rates that are kept up to a highest one.
func upTo(highest float64, measured *[]float64) func(float64) (atRate, error) {
	return func(r float64) (atRate, error) {
		*measured = append(*measured, r)
		w := waits{rides: 100, p99: time.Second}
		if r > highest {
			w.p99 = 3 * time.Second
		}
		return atRate{r, []waits{w}}, nil
	}
}

func TestSearchRisesUntilARateIsNotKept(t *testing.T) {
	for highest, want := range map[float64][]float64{
		0.5: {1, 5, 20},
		7:   {1, 5, 20, 6.25, 7.8125},
		19:  {1, 5, 20, 6.25, 7.8125, 9.765625, 12.20703125, 15.2587890625, 19.073486328125},
		30:  {1, 5, 20, 25, 31.25},
	} {
		var measured []float64
		rates, err := search(upTo(highest, &measured))
		require.NoError(t, err)
		require.Equal(t, want, measured, "kept up to %v", highest)
		require.Len(t, rates, len(want))
		require.IsIncreasing(t, func() (out []float64) {
			for _, a := range rates {
				out = append(out, a.perSecond)
			}
			return out
		}())
	}
}

func TestARateIsNotKeptWhereABookingWasRefused(t *testing.T) {
	fast := waits{rides: 100, p99: time.Millisecond}
	require.True(t, atRate{1, []waits{fast}}.kept())

	refused := fast
	refused.refused = 1
	require.False(t, atRate{1, []waits{fast, refused, fast}}.kept())
}

func TestLatencyTableNamesTheHighestRateThatWasKept(t *testing.T) {
	var measured []float64
	rates, err := search(upTo(7, &measured))
	require.NoError(t, err)
	require.Contains(t, latencyTable(rates), "stays under 2s: **6.25 rides/s**")

	rates, err = search(upTo(0, &measured))
	require.NoError(t, err)
	require.Contains(t, latencyTable(rates), "stays under 2s: **none of these rates**")
}

func TestQuantile(t *testing.T) {
	var v []time.Duration
	for i := range 200 {
		v = append(v, time.Duration(i+1))
	}
	require.Equal(t, time.Duration(100), quantile(v, 0.5))
	require.Equal(t, time.Duration(198), quantile(v, 0.99))
	require.Equal(t, time.Duration(1), quantile(v[:1], 0.5))
	require.Equal(t, time.Duration(60), quantile(v[:60], 0.99))
}

func TestOfferedReadsEachRidesFirstOffer(t *testing.T) {
	_, pool := testenv.Database(t, ride.Schemas()...)
	began := time.Now().UTC()
	var rides []string

	// Each ride's offers, as seconds after its request and the attempt that made them.
	type offer struct {
		after   float64
		attempt int
	}
	for _, offers := range [][]offer{{{0.02, 1}, {9, 1}}, {{0.5, 2}}, {}} {
		id := uuid.NewString()
		rides = append(rides, id)
		_, err := pool.Exec(t.Context(), `INSERT INTO ride.rides (id, rider_id, state, pickup_lat, pickup_lon, pickup_label, dropoff_lat, dropoff_lon,
				dropoff_label, distance_m, duration_s, price_minor, currency, idempotency_key, body_hash, requested_at, expires_at, wake_at)
			VALUES ($1, 'bench', 'requested', 0, 0, '', 0, 0, '', 1, 1, 1, 'UYU', $1::uuid::text, '', $2, $2, $2)`, id, began)
		require.NoError(t, err)
		for _, o := range offers {
			_, err := pool.Exec(t.Context(), `INSERT INTO ride.ride_events (ride_id, kind, at, by, attempt, data) VALUES ($1, 'offered', $2, '', $3, '{}')`,
				id, began.Add(time.Duration(o.after*float64(time.Second))), o.attempt)
			require.NoError(t, err)
		}
	}

	w, err := offered(t.Context(), pool, rides)
	require.NoError(t, err)
	require.Equal(t, waits{p50: 500 * time.Millisecond, p99: riderWaits, rides: 3, none: 1, again: 1}, w)

	w, err = offered(t.Context(), pool, rides[:1])
	require.NoError(t, err)
	require.Equal(t, waits{p50: 20 * time.Millisecond, p99: 20 * time.Millisecond, rides: 1}, w)

	_, err = offered(t.Context(), pool, append(rides, uuid.NewString()))
	require.ErrorContains(t, err, "4 rides were booked, and Postgres has 3 of them")
	_, err = offered(t.Context(), pool, nil)
	require.Error(t, err, "nothing was measured")
}
