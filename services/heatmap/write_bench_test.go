package heatmap

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/test/testenv"
)

// BenchmarkApply writes points of 100,000 drivers, each with one every five seconds and
// 20,000 in a batch, as a shard's reader does: all of it, and beside it the cells alone,
// which promise nothing of repeats and know no public map.
func BenchmarkApply(b *testing.B) {
	const batch = 20_000
	for _, cellsAlone := range []bool{true, false} {
		b.Run(map[bool]string{true: "cells", false: "all"}[cellsAlone], func(b *testing.B) {
			_, pool := testenv.Database(b, Schema())
			s := newStore(pool)
			lease := points.ForLease(s, "0")
			fleet := newBenchFleet(time.Now().Truncate(window))
			seen := 0
			var took time.Duration
			for b.Loop() {
				arrivals := fleet.next(batch)
				began := time.Now()
				if cellsAlone {
					require.NoError(b, pgx.BeginFunc(b.Context(), pool, func(tx pgx.Tx) error {
						var q pgx.Batch
						s.addCells(&q, tallyUp(arrivals, time.Now()))
						return tx.SendBatch(b.Context(), &q).Close()
					}))
				} else {
					_, err := lease.Apply(b.Context(), arrivals, noCommit)
					require.NoError(b, err)
				}
				took += time.Since(began)
				seen += batch
			}
			b.ReportMetric(float64(seen)/took.Seconds(), "points/s")
		})
	}
}

// benchFleet is 100,000 drivers who cross a city of 20 km at 8 m/s.
type benchFleet struct {
	points []points.Arrival // the newest of each
	north  []float64        // degrees in five seconds
	sent   int
}

func newBenchFleet(at time.Time) *benchFleet {
	const drivers, fiveSeconds = 100_000, 40 / 111_000.0
	f := &benchFleet{}
	rng := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a test's own
	for d := range drivers {
		p := event.Point{Driver: fmt.Sprintf("driver-%06d", d), Seq: at.UnixMilli(), At: at.UnixMilli(), Lat: -34.9 + 0.2*rng.Float64(), Lon: -56.2 + 0.2*rng.Float64()}
		f.points = append(f.points, points.Arrival{Point: p, Shard: "0", Arrived: at, Rises: true})
		f.north = append(f.north, fiveSeconds*(2*rng.Float64()-1))
	}
	return f
}

// next returns the next n points.
func (f *benchFleet) next(n int) []points.Arrival {
	from := f.sent % len(f.points)
	f.sent += n
	out := f.points[from : from+n]
	for i := range out {
		p := &out[i]
		p.Seq, p.At, p.Lat, p.Arrived = p.Seq+5000, p.At+5000, p.Lat+f.north[from+i], p.Arrived.Add(5*time.Second)
	}
	return out
}
