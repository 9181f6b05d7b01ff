package history

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/testenv"
)

// BenchmarkApply stores 200,000 points of 5,000 drivers, 5,000 in a transaction with a
// checkpoint: as history does, by an upsert from arrays into a table with the same
// columns and key, and by COPY into one without any index. Run it with -benchtime 1x.
func BenchmarkApply(b *testing.B) {
	for _, way := range []string{"history", "upsert", "copy"} {
		b.Run(way, func(b *testing.B) {
			for range b.N {
				_, pool := testenv.Database(b, Schema())
				_, err := pool.Exec(b.Context(), benchTables)
				require.NoError(b, err)
				apply := map[string]func(context.Context, []points.Arrival) error{
					"history": newBenchStore(pool), "upsert": benchUpsert(pool), "copy": benchCopy(pool),
				}[way]

				var took time.Duration
				fleet := newBenchFleet()
				for range benchBatches {
					batch := fleet.next()
					began := time.Now()
					require.NoError(b, apply(b.Context(), batch))
					took += time.Since(began)
				}
				b.ReportMetric(benchBatches*benchBatch/took.Seconds(), "rows/s")
				if way == "history" {
					b.ReportMetric(benchBytes(b, pool), "bytes/row")
				}
			}
		})
	}
}

const (
	benchBatch   = 5_000 // points, one of each driver
	benchBatches = 40
)

const benchTables = `
	CREATE TABLE bare (
		day date NOT NULL, driver text NOT NULL COLLATE "C", seq bigint NOT NULL, at timestamptz NOT NULL,
		lat double precision NOT NULL, lon double precision NOT NULL, speed real, heading real, accuracy real,
		arrived_at timestamptz NOT NULL, shard text NOT NULL, not_rising boolean NOT NULL, taken_at timestamptz);
	CREATE TABLE keyed (LIKE bare, PRIMARY KEY (driver, day, seq));
	CREATE TABLE checkpoint (n bigint NOT NULL);
	INSERT INTO checkpoint VALUES (0)`

func benchCommit(ctx context.Context, tx pgx.Tx, _ ...shardreader.Position) error {
	_, err := tx.Exec(ctx, `UPDATE checkpoint SET n = n + 1`)
	return err
}

func newBenchStore(pool *pgxpool.Pool) func(context.Context, []points.Arrival) error {
	s := points.ForLease(newStore(pool), "0")
	return func(ctx context.Context, batch []points.Arrival) error {
		_, err := s.Apply(ctx, batch, benchCommit)
		return err
	}
}

// bareRow is a point as the peers store it.
func bareRow(a points.Arrival) []any {
	return []any{
		dayOf(a), a.Driver, a.Seq, a.Time(), a.Lat, a.Lon, float32(*a.Speed), float32(*a.Heading), float32(*a.Accuracy), a.Arrived, a.Shard, !a.Rises, time.UnixMilli(a.Taken),
	}
}

func benchCopy(pool *pgxpool.Pool) func(context.Context, []points.Arrival) error {
	columns := []string{"day", "driver", "seq", "at", "lat", "lon", "speed", "heading", "accuracy", "arrived_at", "shard", "not_rising", "taken_at"}
	return func(ctx context.Context, batch []points.Arrival) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"bare"}, columns, pgx.CopyFromSlice(len(batch), func(i int) ([]any, error) { return bareRow(batch[i]), nil }))
			if err != nil {
				return err
			}
			return benchCommit(ctx, tx)
		})
	}
}

func benchUpsert(pool *pgxpool.Pool) func(context.Context, []points.Arrival) error {
	return func(ctx context.Context, batch []points.Arrival) error {
		n := len(batch)
		days, drivers, seqs, ats := make([]time.Time, n), make([]string, n), make([]int64, n), make([]time.Time, n)
		lats, lons, speeds, headings, accuracies := make([]float64, n), make([]float64, n), make([]float32, n), make([]float32, n), make([]float32, n)
		arrived, shards, notRising, taken := make([]time.Time, n), make([]string, n), make([]bool, n), make([]time.Time, n)
		for i, a := range batch {
			days[i], drivers[i], seqs[i], ats[i], lats[i], lons[i] = dayOf(a), a.Driver, a.Seq, a.Time(), a.Lat, a.Lon
			speeds[i], headings[i], accuracies[i] = float32(*a.Speed), float32(*a.Heading), float32(*a.Accuracy)
			arrived[i], shards[i], notRising[i], taken[i] = a.Arrived, a.Shard, !a.Rises, time.UnixMilli(a.Taken)
		}
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO keyed SELECT * FROM unnest($1::date[], $2::text[], $3::bigint[], $4::timestamptz[], $5::float8[], $6::float8[],
				$7::float4[], $8::float4[], $9::float4[], $10::timestamptz[], $11::text[], $12::bool[], $13::timestamptz[]) ON CONFLICT DO NOTHING`,
				days, drivers, seqs, ats, lats, lons, speeds, headings, accuracies, arrived, shards, notRising, taken)
			if err != nil {
				return err
			}
			return benchCommit(ctx, tx)
		})
	}
}

// benchBytes is what the rows take on the disk, with their indexes and all.
func benchBytes(b *testing.B, pool *pgxpool.Pool) float64 {
	b.Helper()
	var bytes, rows float64
	require.NoError(b, pool.QueryRow(b.Context(), `
		SELECT sum(pg_total_relation_size(relid))::float8, (SELECT count(*) FROM history.points)::float8 FROM pg_partition_tree('history.points')`).Scan(&bytes, &rows))
	require.InDelta(b, benchBatch*benchBatches, rows, 0)
	return bytes / rows
}

// benchFleet is 5,000 drivers, as they arrive from location.
type benchFleet struct{ points []points.Arrival }

func newBenchFleet() *benchFleet {
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(time.Hour) // all on one day
	rng := rand.New(rand.NewPCG(1, 1))                              //nolint:gosec // a test's own
	hundredths := func(most float64) *float64 { return new(math.Round(100*most*rng.Float64()) / 100) }
	f := &benchFleet{}
	for d := range benchBatch {
		p := event.Point{
			Driver: fmt.Sprintf("driver-%012x", d), Seq: now.UnixMilli(), At: now.UnixMilli(), Lat: -34.9 + 0.2*rng.Float64(), Lon: -56.2 + 0.2*rng.Float64(),
			Speed: hundredths(20), Heading: hundredths(359), Accuracy: new(5.0), Taken: now.UnixMilli(),
		}
		f.points = append(f.points, points.Arrival{Point: p, Shard: "shardId-000000000000", Arrived: now, Rises: true})
	}
	rng.Shuffle(len(f.points), func(i, j int) { f.points[i], f.points[j] = f.points[j], f.points[i] })
	return f
}

// next returns each driver's next point, a second later.
func (f *benchFleet) next() []points.Arrival {
	for i := range f.points {
		p := &f.points[i]
		p.Seq, p.At, p.Taken, p.Lat, p.Arrived = p.Seq+1000, p.At+1000, p.Taken+1000, math.Round((p.Lat+1e-5)*1e7)/1e7, p.Arrived.Add(time.Second)
	}
	return f.points
}
