package erase_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/speeding"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
	"tandem/services/tools/erase"
)

// site has a row of each kind for the drivers d and e, of a minute ago.
func site(t *testing.T) (url string, pool *pgxpool.Pool) {
	t.Helper()
	url, pool = testenv.Database(t, append(ride.Schemas(), history.Schema(), heatmap.Schema(), speeding.Schema(), deadletter.Schema(),
		postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})...)
	for _, sql := range []string{
		`CREATE TABLE history.points_all PARTITION OF history.points DEFAULT`,
		`INSERT INTO history.points (day, driver, seq, at, lat, lon, arrived_at, shard, not_rising)
			SELECT '2013-07-01', d, n, now(), 0, 0, now() - interval '1 min', 's', n = 3 FROM unnest('{d,e}'::text[]) d, generate_series(1, 3) n`,
		`INSERT INTO shardgroup.streams (group_name, generation, arn, created_at) VALUES ('history', 1, 'arn', '2026-01-01')`,
		`INSERT INTO shardgroup.leases (stream_id, shard) SELECT id, 's' FROM shardgroup.streams`,
		`INSERT INTO shardgroup.dead_records SELECT id, 's', d, 0, d, '?', now() - interval '1 min', 'poison' FROM shardgroup.streams, unnest('{d,e}'::text[]) d`,
		`INSERT INTO heatmap.presence SELECT now() + (105 * n - 155) * interval '1 s', n, d FROM unnest('{d,e}'::text[]) d, generate_series(1, 2) n`,
		`INSERT INTO heatmap.marks SELECT 1, d, 3 FROM unnest('{d,e}'::text[]) d`,
		`INSERT INTO speeding.drivers SELECT d, 90, now() FROM unnest('{d,e}'::text[]) d`,
		`INSERT INTO heatmap.cells SELECT 1, now(), 1, 6, now(), now()`,
	} {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	return url, pool
}

// names counts the rows that name a driver, by table.
func names(t *testing.T, pool *pgxpool.Pool, driver string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for table, column := range map[string]string{
		"history.points": "driver", "shardgroup.dead_records": "key", "heatmap.presence": "driver", "heatmap.marks": "driver", "history.erased": "driver", "speeding.drivers": "driver",
	} {
		var n int
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE `+column+` = $1`, driver).Scan(&n))
		if n > 0 {
			out[table] = n
		}
	}
	return out
}

func TestErasesOneDriverAndWritesWhoDidIt(t *testing.T) {
	t.Parallel()
	url, pool := site(t)
	others := names(t, pool, "e")
	opened, err := erase.Open(t.Context(), url)
	require.NoError(t, err)
	defer opened.Close()

	by := deadletter.By{Who: "ana", Why: "it asked for it"}
	act, err := erase.Driver(t.Context(), opened, "d", by)
	require.NoError(t, err)
	require.Contains(t, act.Result, "points: 3, dead records: 1, rows of presence: 2, of speeding: 1; history does not store again what arrived up to ")
	require.Equal(t, map[string]int{"history.erased": 1, "heatmap.marks": 1}, names(t, pool, "d"))
	require.Equal(t, others, names(t, pool, "e"))

	again, err := erase.Driver(t.Context(), opened, "d", by)
	require.NoError(t, err)
	require.Contains(t, again.Result, "points: 0, dead records: 0, rows of presence: 0, of speeding: 0; ")

	acts, err := deadletter.New(deadletter.Options{Pool: pool}).Acts(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, acts, 2)
	require.Equal(t, []string{"erase driver", "history", "d", "ana", "it asked for it", "done", act.Result},
		[]string{acts[1].Act, acts[1].Place, acts[1].MessageID, acts[1].Who, acts[1].Why, acts[1].Outcome, acts[1].Result})

	_, err = erase.Driver(t.Context(), opened, "no driver", by)
	require.ErrorContains(t, err, "No driver has this id")
	_, err = erase.Driver(t.Context(), opened, "e", deadletter.By{})
	require.ErrorContains(t, err, "Say who you are")
	require.Equal(t, others, names(t, pool, "e"))
}

// Its rows cannot be deleted now. The act says so, and erasing again finishes it.
func TestAnErasureThatFailsIsWrittenDown(t *testing.T) {
	t.Parallel()
	_, pool := site(t)
	rename := func(from, to string) {
		_, err := pool.Exec(t.Context(), `ALTER TABLE heatmap.`+from+` RENAME TO `+to)
		require.NoError(t, err)
	}

	rename("presence", "gone")
	act, err := erase.Driver(t.Context(), pool, "d", deadletter.By{Who: "ana"})
	require.ErrorContains(t, err, "its rows are still there")
	require.Equal(t, deadletter.OutcomeFailed, act.Outcome)
	var outcome string
	var removed int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT outcome, (SELECT count(*) FROM history.removed) FROM operations.acts`).Scan(&outcome, &removed))
	require.Equal(t, deadletter.OutcomeFailed, outcome)
	require.Zero(t, removed)

	rename("gone", "presence")
	act, err = erase.Driver(t.Context(), pool, "d", deadletter.By{Who: "ana"})
	require.NoError(t, err)
	require.Contains(t, act.Result, "points: 3, ")
	require.WithinDuration(t, time.Now(), act.At, time.Minute)
}
