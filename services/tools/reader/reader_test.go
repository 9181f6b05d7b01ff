package reader_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/ledger"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/notification"
	"tandem/services/test/pointstest"
	"tandem/services/test/testenv"
	"tandem/services/tools/audit"
	"tandem/services/tools/deadletter"
	"tandem/services/tools/reader"
	"tandem/services/tools/replay"
)

const (
	first   = 1391400300000 // of each driver's sequences; the sixth of b is refused
	stored  = `SELECT count(*)::int FROM history.points`
	counted = `SELECT coalesce(sum(n), 0)::int FROM heatmap.cells`
)

// site is history and heatmap on the emulator, with a tool.
type site struct {
	pool   *pgxpool.Pool
	cfg    pointstest.Config
	client *kinesis.Client
	tool   *reader.Tool
}

func newSite(t *testing.T) site {
	t.Helper()
	dbURL, pool := testenv.Database(t, append(ride.Schemas(), notification.Schema(), deadletter.Schema(), history.Schema(), heatmap.Schema(),
		postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})...)
	quick := profile.Fast()
	quick.Lease, quick.PollEvery, quick.Backoff = time.Second, 50*time.Millisecond, 100*time.Millisecond
	s := site{pool: pool, cfg: pointstest.Config{DatabaseURL: dbURL, AWS: testenv.Emulator(t), Auth: pointstest.Signer(t), Profile: quick}}
	awsCfg, err := awsclient.New(t.Context(), s.cfg.AWS)
	require.NoError(t, err)
	s.client = kinesis.NewFromConfig(awsCfg)
	tool, done, err := reader.Open(t.Context(), dbURL, s.cfg.AWS, nil)
	require.NoError(t, err)
	t.Cleanup(done)
	s.tool = tool
	return s
}

func (s site) start(t *testing.T) {
	t.Helper()
	for _, run := range []func(context.Context, lifecycle.Env, pointstest.Config) error{
		func(ctx context.Context, env lifecycle.Env, c pointstest.Config) error {
			return history.Run(ctx, env, history.Config{DatabaseURL: c.DatabaseURL, AWS: c.AWS, Auth: c.Auth, Profile: c.Profile, BookingURL: "http://127.0.0.1:1"})
		},
		func(ctx context.Context, env lifecycle.Env, c pointstest.Config) error {
			return heatmap.Run(ctx, env, heatmap.Config(c))
		},
	} {
		_, stop := pointstest.Service{Run: run}.Start(t, s.cfg)
		t.Cleanup(stop)
	}
}

func (s site) exec(t *testing.T, sql string) {
	t.Helper()
	_, err := s.pool.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// shards returns history's shards in a state.
func (s site) shards(t *testing.T, state string) (out []reader.Shard) {
	t.Helper()
	all, err := s.tool.List(t.Context(), "")
	require.NoError(t, err)
	for _, one := range all {
		if one.Group == "history" && one.State == state {
			out = append(out, one)
		}
	}
	return out
}

// refused requires that an act is refused for a reason, and nothing is written.
func (s site) refused(t *testing.T, code problem.Code, why, act, group string, ask reader.Ask, by deadletter.By) {
	t.Helper()
	before := pointstest.Count(t, s.pool, `SELECT count(*)::int FROM operations.acts`)
	_, err := s.tool.Do(t.Context(), act, group, ask, by)
	var p *problem.Error
	require.ErrorAs(t, err, &p, why)
	require.Equal(t, code, p.Code, p.Detail)
	require.Contains(t, p.Detail, why)
	require.Equal(t, before, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM operations.acts`))
}

var (
	ana  = deadletter.By{Who: "admin ana", Verified: true}
	anas = deadletter.By{Who: "admin ana", Verified: true, Why: "no row takes it"}
)

// A record that history can never store holds up its shard and nothing else, until a
// person lets the shard pass it.
func TestAPoisonRecord(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	drivers := []string{"a", "b", "c", "d", "e", "f"}
	s.exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.driver = 'b' AND NEW.seq = 1391400305000 THEN RAISE EXCEPTION 'no row for it'; END IF; RETURN NEW; END $$`)
	s.exec(t, `CREATE TRIGGER refuse BEFORE INSERT ON history.points FOR EACH ROW EXECUTE FUNCTION refuse()`)
	s.start(t)
	pointstest.Put(t, s.client, drivers, 0, 10)

	// The other readers go on, and of history the other shards; of this one what stands
	// before the record.
	pointstest.Eventually(t, s.pool, 60, counted)
	var stuck reader.Shard
	require.Eventually(t, func() bool {
		failing := s.shards(t, "failing")
		if len(failing) == 1 && failing[0].FailingAt != "" {
			stuck = failing[0]
		}
		return stuck.FailingAt != ""
	}, 30*time.Second, 20*time.Millisecond)
	require.Contains(t, stuck.Error, "no row for it")
	require.NotEmpty(t, s.shards(t, "reading"))
	pointstest.Eventually(t, s.pool, 5, `SELECT count(*)::int FROM history.points WHERE driver = 'b'`)

	one := reader.Ask{Shards: []string{stuck.Shard}}
	s.refused(t, problem.Invalid, "why the record", reader.Park, "history", one, ana)
	s.refused(t, problem.Conflict, "nothing is in its way", reader.Park, "history", reader.Ask{Shards: []string{s.shards(t, "reading")[0].Shard}}, anas)
	s.refused(t, problem.Invalid, "Name the one shard", reader.Skip, "history", reader.Ask{}, anas)
	s.refused(t, problem.Conflict, "and not at 7/0", reader.Park, "history", reader.Ask{Shards: one.Shards, Record: "7/0"}, anas)
	s.refused(t, problem.Invalid, "parked already", reader.Park, "history", reader.Ask{Shards: one.Shards, Record: reader.Parked}, anas)
	s.refused(t, problem.Conflict, "is parked that nobody", reader.Skip, "history", reader.Ask{Shards: one.Shards, Record: reader.Parked}, anas)

	one.Record = stuck.FailingAt
	act, err := s.tool.Do(t.Context(), reader.Park, "history", one, anas)
	require.NoError(t, err)
	require.Equal(t, "reader history", act.Place)
	require.Equal(t, stuck.Shard+" "+stuck.FailingAt, act.MessageID)
	s.refused(t, problem.Conflict, "nothing is in its way", reader.Park, "history", one, anas) // its answer was lost, say
	pointstest.Eventually(t, s.pool, 59, stored)
	pointstest.Put(t, s.client, []string{"b"}, 10, 2)
	pointstest.Eventually(t, s.pool, 61, stored)
	require.Zero(t, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM history.points WHERE not_rising`), "the order is kept")

	// Audit counts it as parked, also once nobody needs to look at it any more.
	require.Equal(t, 1, s.parked(t))
	s.audited(t, drivers, 1)
	one.Record = ""
	_, err = s.tool.Do(t.Context(), reader.Skip, "history", one, anas)
	require.NoError(t, err)
	require.Zero(t, s.parked(t))
	s.audited(t, drivers, 1)
	require.Equal(t, 2, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM operations.acts
		WHERE act IN ('park', 'skip') AND who = 'admin ana' AND verified AND why = 'no row takes it' AND outcome = 'done'`))

	// Mended and read again it is stored, and nothing twice.
	s.exec(t, `DROP TRIGGER refuse ON history.points`)
	_, err = s.tool.Do(t.Context(), reader.Seek, "history", reader.Ask{To: time.Now().Add(-time.Hour)}, ana)
	require.NoError(t, err)
	pointstest.Eventually(t, s.pool, 62, stored)
	require.Equal(t, 1, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM history.points WHERE driver = 'b' AND seq = 1391400305000`))

	// From here on all is as if nothing had ever been in its way.
	s.audited(t, drivers, 0)
	again, err := replay.History(t.Context(), replay.Config{DatabaseURL: s.cfg.DatabaseURL, AWS: s.cfg.AWS, Span: s.span(t), Out: io.Discard})
	require.NoError(t, err)
	require.True(t, again.Equal)
	require.EqualValues(t, 62, again.After.Rows)
}

// span is from before all that history has to after it.
func (s site) span(t *testing.T) (out replay.Span) {
	t.Helper()
	require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT (SELECT max(created_at) FROM shardgroup.streams), max(arrived_at) + interval '1 ms' FROM history.points`).Scan(&out.From, &out.To))
	return out
}

func (s site) parked(t *testing.T) (n int) {
	t.Helper()
	for _, state := range []string{"reading", "free"} {
		for _, one := range s.shards(t, state) {
			n += int(one.Parked)
		}
	}
	return n
}

// audited requires that an audit is clean but for so many parked points.
func (s site) audited(t *testing.T, drivers []string, parked int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	w, err := ledger.Open(path, 1<<20)
	require.NoError(t, err)
	for _, d := range drivers {
		e := client.Entry{Kind: client.KindPoints, At: time.Now(), Points: &client.PointsEntry{Driver: d, Status: 202, AcceptedThrough: first + 9000}}
		for i := range 10 {
			e.Points.Seqs = append(e.Points.Seqs, first+int64(i)*1000)
		}
		require.NoError(t, w.Write(e))
	}
	require.NoError(t, w.Close())

	report, err := audit.Run(t.Context(), audit.Config{DatabaseURL: s.cfg.DatabaseURL, AWS: s.cfg.AWS, LedgerPath: path, Wait: 20 * time.Second})
	require.NoError(t, err)
	require.Equal(t, parked, report.Count("points", "parked"))
	require.Equal(t, 60-parked, report.Count("points", "stored"))
	require.Zero(t, report.Count("points", "lost"))
	require.True(t, report.OK, "%+v", report.Checks)
}

// setAside writes down that the heatmap has set a point aside.
func (s site) setAside(t *testing.T, driver string, seq int64) {
	t.Helper()
	r, err := shardreader.New(shardreader.Options{Client: s.client, Stream: event.Stream})
	require.NoError(t, err)
	found := errors.New("found")
	err = r.All(t.Context(), shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
		for _, rec := range b.Records {
			if p, err := event.DecodePoint(rec.Key, rec.Data); err != nil || p.Driver != driver || p.Seq != seq {
				continue
			}
			_, err := s.pool.Exec(t.Context(), `INSERT INTO shardgroup.dead_records (stream_id, shard, sequence, sub, key, data, arrived_at, reason)
				SELECT id, $1, $2, $3, $4, $5, $6, 'test' FROM shardgroup.streams WHERE group_name = 'heatmap'`,
				rec.Shard, rec.Sequence, rec.Sub, rec.Key, rec.Data, rec.Arrived)
			return errors.Join(found, err)
		}
		return nil
	})
	require.ErrorIs(t, err, found)
}

func TestAReaderIsPausedResumedAndSentBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start(t)
	pointstest.Put(t, s.client, []string{"a", "b", "c"}, 0, 10)
	pointstest.Eventually(t, s.pool, 30, stored)
	pointstest.Eventually(t, s.pool, 30, counted)

	act, err := s.tool.Do(t.Context(), reader.Pause, "history", reader.Ask{}, ana)
	require.NoError(t, err)
	require.Equal(t, deadletter.OutcomeDone, act.Outcome)
	s.refused(t, problem.Conflict, "paused already", reader.Pause, "history", reader.Ask{}, ana)
	pointstest.Put(t, s.client, []string{"a", "b", "c"}, 10, 10)
	pointstest.Eventually(t, s.pool, 60, counted)
	require.Len(t, s.shards(t, "paused"), 4)
	require.Equal(t, 30, pointstest.Count(t, s.pool, stored))
	s.refused(t, problem.Invalid, "never forward", reader.Seek, "history", reader.Ask{To: time.Now()}, ana)
	// As if each had failed at a record that its checkpoint has passed.
	s.exec(t, `UPDATE shardgroup.leases SET failing = 'x', failing_sequence = '7', failing_sub = 0 WHERE paused_at IS NOT NULL`)
	for _, one := range s.shards(t, "paused") {
		s.refused(t, problem.Conflict, "not the one that failed", reader.Park, "history", reader.Ask{Shards: []string{one.Shard}}, anas)
	}
	_, err = s.tool.Do(t.Context(), reader.Resume, "history", reader.Ask{}, ana)
	require.NoError(t, err)
	pointstest.Eventually(t, s.pool, 60, stored)

	// Both readers read all of it again, and have what they had; the heatmap also counts
	// what it had set aside, and not again the next time.
	s.setAside(t, "a", first+5000)
	s.exec(t, `UPDATE heatmap.cells SET n = n - 1 WHERE ctid = (SELECT min(ctid) FROM heatmap.cells)`)
	const again = `SELECT coalesce(sum(records), 0)::int FROM shardgroup.checkpoints`
	for _, group := range []string{"history", "heatmap", "heatmap"} {
		before := pointstest.Count(t, s.pool, again)
		_, err = s.tool.Do(t.Context(), reader.Seek, group, reader.Ask{To: time.Now().Add(-time.Hour)}, ana)
		require.NoError(t, err)
		pointstest.Eventually(t, s.pool, before+60, again)
	}
	require.Equal(t, 60, pointstest.Count(t, s.pool, stored))
	require.Equal(t, 60, pointstest.Count(t, s.pool, counted))
	require.Equal(t, 1, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM shardgroup.dead_records WHERE returned_at IS NOT NULL`))

	now := time.Now()
	s.refused(t, problem.NotFound, "No reader", reader.Pause, "nobody", reader.Ask{}, ana)
	s.refused(t, problem.NotFound, "No reader", reader.Pause, "history\x00", reader.Ask{}, ana)
	s.refused(t, problem.Invalid, "Name the reader", reader.Pause, "", reader.Ask{}, ana)
	s.refused(t, problem.Invalid, "of one record", reader.Pause, "history", reader.Ask{Record: "7/0"}, ana)
	s.refused(t, problem.Invalid, "SEQUENCE/SUB", reader.Park, "history", reader.Ask{Record: "7", Shards: []string{s.shards(t, "reading")[0].Shard}}, anas)
	s.refused(t, problem.NotFound, "There is no act", "stop", "history", reader.Ask{}, ana)
	s.refused(t, problem.Invalid, "has no shard", reader.Pause, "history", reader.Ask{Shards: []string{"x"}}, ana)
	s.refused(t, problem.Invalid, "which time", reader.Seek, "history", reader.Ask{}, ana)
	s.refused(t, problem.Invalid, "Only a seek", reader.Pause, "history", reader.Ask{To: now}, ana)
	s.refused(t, problem.Invalid, "future", reader.Seek, "history", reader.Ask{To: now.Add(time.Hour)}, ana)
	s.refused(t, problem.Invalid, "keeps nothing from before", reader.Seek, "history", reader.Ask{To: now.Add(-25 * time.Hour)}, ana)
	s.refused(t, problem.Invalid, "who you are", reader.Pause, "history", reader.Ask{}, deadletter.By{})

	s.exec(t, `INSERT INTO history.removed (reason, day, points) VALUES ('expired', '2014-02-03', 1)`)
	s.refused(t, problem.Conflict, "let points expire", reader.Seek, "history", reader.Ask{To: now.Add(-time.Hour)}, ana)
	s.exec(t, `UPDATE shardgroup.streams SET start_at = now() WHERE group_name = 'heatmap'`)
	s.refused(t, problem.Invalid, "does not answer for", reader.Seek, "heatmap", reader.Ask{To: now.Add(-time.Hour)}, ana)
	s.exec(t, `UPDATE shardgroup.streams SET group_name = 'another' WHERE group_name = 'heatmap'`)
	s.refused(t, problem.Conflict, "come out the same", reader.Seek, "another", reader.Ask{To: now.Add(-time.Hour)}, ana)
}
