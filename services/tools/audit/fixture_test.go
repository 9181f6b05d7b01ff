package audit

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/ledger"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/notification"
	"tandem/services/test/testenv"
)

// site is a small Tandem in which everything is as it should be: three rides,
// two drivers with four points each on one shard, and who was promised what.
// Tests then break one thing.
type site struct {
	t      *testing.T
	pool   *pgxpool.Pool
	cfg    Config
	ledger string
	began  time.Time

	depths  map[string]int64
	dead    map[string]deadLetters
	records []shardreader.Record
}

const (
	done  = "01940000-0000-7000-8000-000000000001"
	open  = "01940000-0000-7000-8000-000000000002"
	ended = "01940000-0000-7000-8000-000000000003"
)

// database has all the schemas that an audit reads.
func database(t *testing.T) (url string, pool *pgxpool.Pool) {
	t.Helper()
	return testenv.Database(t, append(ride.Schemas(), notification.Schema(), history.Schema(), heatmap.Schema(),
		postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})...)
}

// newSite returns a site in a database, in place of the one before.
func newSite(t *testing.T, url string, pool *pgxpool.Pool) *site {
	t.Helper()
	s := &site{
		t: t, pool: pool, ledger: filepath.Join(t.TempDir(), "ledger"), began: time.Now().Add(-time.Minute),
		depths: map[string]int64{}, dead: map[string]deadLetters{},
	}
	s.cfg = Config{DatabaseURL: url, LedgerPath: s.ledger, Profile: profile.Profile{KeepFor: profile.Default().KeepFor}}
	s.clean()
	s.ride(done, "ana", "d1", "completed", "accepted")
	s.ride(open, "bea", "d1", "arrived", "accepted")
	s.ride(ended, "ana", "", "cancelled", "")
	s.exec(`INSERT INTO shardgroup.streams (group_name, generation, arn, created_at) VALUES ('history', 1, 'arn', '2026-01-01'), ('heatmap', 1, 'arn', '2026-01-01')`)
	s.exec(`INSERT INTO shardgroup.leases (stream_id, shard) SELECT id, 's0' FROM shardgroup.streams`)
	s.exec(`INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub, arrived_at, tip_at) SELECT id, 's0', '107', 0, now(), now() FROM shardgroup.streams`)
	day := s.began.UTC()
	s.exec(fmt.Sprintf(`CREATE TABLE IF NOT EXISTS history.points_%s PARTITION OF history.points FOR VALUES FROM ('%s') TO ('%s')`,
		day.Format("20060102"), day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)))
	for n := range 4 {
		s.point("d1", n, true)
		s.point("d2", n, true)
	}
	s.exec(`INSERT INTO heatmap.cells (generation, window_at, cell, n, first_arrived, last_arrived) VALUES
		(1, date_trunc('minute', now()), 1, 5, now(), now()), (1, date_trunc('minute', now()), 2, 3, now(), now())`)
	s.exec(`INSERT INTO heatmap.hours SELECT generation, date_trunc('hour', window_at), cell, n, first_arrived, last_arrived FROM heatmap.cells`)
	s.promise(client.Entry{Ride: &client.RideEntry{Key: done, RideID: done, Rider: "ana", Status: 201}},
		client.Entry{Ride: &client.RideEntry{Key: done, RideID: done, Rider: "ana", Status: 201}},
		client.Entry{Ride: &client.RideEntry{Key: open, RideID: open, Rider: "bea", Status: 201}},
		client.Entry{Ride: &client.RideEntry{Key: "refused", Rider: "bea", Status: 422}},
		s.points("d1", 0, 1, 2, 3), s.points("d2", 0, 1), s.points("d2", 0, 1, 2, 3))
	return s
}

// clean empties all tables and puts back what a test has dropped.
func (s *site) clean() {
	s.t.Helper()
	s.exec(`DROP TABLE IF EXISTS history.points_20200101`)
	s.exec(`TRUNCATE ride.rides, ride.offers, ride.ride_events, ride.outbox, ride.drivers, notification.deliveries, notification.inbox,
		history.points, history.removed, history.erased, heatmap.cells, heatmap.hours, heatmap.marks, heatmap.presence,
		shardgroup.streams, shardgroup.leases, shardgroup.checkpoints, shardgroup.gaps, shardgroup.dead_records`)
	s.exec(`CREATE UNIQUE INDEX IF NOT EXISTS one_live_ride_of_a_driver ON ride.rides (driver_id) WHERE state IN ('offered', 'assigned', 'arrived', 'picked_up')`)
	s.exec(`CREATE UNIQUE INDEX IF NOT EXISTS one_live_driver_of_a_ride ON ride.offers (ride_id) WHERE state IN ('open', 'accepted')`)
}

// count changes what the heatmap has counted, by the minute and by the hour.
func (s *site) count(sql string) {
	s.t.Helper()
	s.exec(sql)
	s.exec(strings.ReplaceAll(sql, "heatmap.cells", "heatmap.hours"))
}

func (s *site) exec(sql string, args ...any) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), sql, args...)
	require.NoError(s.t, err)
}

// ride stores a ride whose idempotency key is its id.
func (s *site) ride(id, rider, driver, state, offer string) {
	s.t.Helper()
	terminal := state == "completed" || state == "cancelled"
	s.exec(`INSERT INTO ride.rides (id, rider_id, state, driver_id, pickup_lat, pickup_lon, pickup_label, dropoff_lat, dropoff_lon, dropoff_label,
			distance_m, duration_s, price_minor, currency, idempotency_key, body_hash, requested_at, assigned_at, ended_at, expires_at, wake_at)
		VALUES ($1, $2, $3, nullif($4, ''), 0, 0, '', 0, 0, '', 1, 1, 1, 'UYU', $6, '', now() - interval '5 min',
			CASE WHEN $4 <> '' THEN now() - CASE WHEN $5 THEN interval '4 min' ELSE interval '2 min' END END,
			CASE WHEN $5 THEN now() - interval '3 min' END, now() + interval '5 min', CASE WHEN NOT $5 THEN now() + interval '1 min' END)`,
		id, rider, state, driver, terminal, id)
	if offer != "" {
		s.exec(`INSERT INTO ride.offers (id, ride_id, driver_id, attempt, state, made_at, expires_at) VALUES (gen_random_uuid(), $1, $2, 1, $3, now(), now())`, id, driver, offer)
	}
}

func (s *site) seq(n int) int64 { return s.began.UnixMilli() + int64(n) }

// point puts a driver's nth point on the stream, and into history.
func (s *site) point(driver string, n int, stored bool) {
	s.t.Helper()
	s.pointTaken(driver, n, n+1, stored)
}

// pointTaken puts a driver's nth point on the stream, and into history, as one that
// location took in the driver's batch number taken; 0: without a stamp.
func (s *site) pointTaken(driver string, n, taken int, stored bool) {
	s.t.Helper()
	p := event.Point{Driver: driver, Seq: s.seq(n), At: s.seq(n)}
	if taken > 0 {
		p.Taken = s.seq(taken)
	}
	arrived := s.began.Add(time.Duration(len(s.records)) * time.Millisecond)
	data, err := p.Encode()
	require.NoError(s.t, err)
	s.records = append(s.records, shardreader.Record{
		Position: shardreader.Position{Shard: "s0", Sequence: fmt.Sprint(100 + len(s.records))}, Key: driver, Data: data, Arrived: arrived,
	})
	if stored {
		s.exec(`INSERT INTO history.points
			SELECT (to_timestamp($2::bigint / 1000) AT TIME ZONE 'UTC')::date, $1, $2, now(), 0, 0, 0, 0, 0, $3, 's0',
				EXISTS (SELECT FROM history.points WHERE driver = $1 AND seq > $2), to_timestamp(nullif($4::bigint, 0) / 1000.0)`,
			driver, p.Seq, arrived, p.Taken)
	}
}

func (s *site) points(driver string, ns ...int) client.Entry {
	e := &client.PointsEntry{Driver: driver, Status: 202}
	for _, n := range ns {
		e.Seqs = append(e.Seqs, s.seq(n))
		e.AcceptedThrough = s.seq(n)
	}
	return client.Entry{Points: e}
}

func (s *site) promise(entries ...client.Entry) {
	s.t.Helper()
	w, err := ledger.Open(s.ledger, 0)
	require.NoError(s.t, err)
	for _, e := range entries {
		if e.At.IsZero() {
			e.At = s.began
		}
		e.Kind = client.KindRide
		if e.Points != nil {
			e.Kind = client.KindPoints
		}
		require.NoError(s.t, w.Write(e))
	}
	require.NoError(s.t, w.Close())
}

func (s *site) audit() Report {
	s.t.Helper()
	r, err := audit(s.t.Context(), s.cfg, s)
	require.NoError(s.t, err)
	return r
}

// Depth implements outside.
func (s *site) Depth(_ context.Context, queue string) (int64, error) { return s.depths[queue], nil }

// Dead implements outside.
func (s *site) Dead(_ context.Context, queue string) (deadLetters, error) { return s.dead[queue], nil }

// Stream implements outside.
func (s *site) Stream(_ context.Context, _ time.Time, see func(shardreader.Record)) error {
	for _, r := range s.records {
		see(r)
	}
	return nil
}
