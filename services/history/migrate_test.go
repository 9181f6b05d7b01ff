package history

import (
	"context"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/pointstest"
)

// before returns the schema as it was before a migration.
func before(t *testing.T, migration string) postgres.Schema {
	t.Helper()
	older, now := fstest.MapFS{}, Schema()
	files, err := fs.ReadDir(now.FS, ".")
	require.NoError(t, err)
	for _, f := range files {
		if f.Name() < migration {
			b, err := fs.ReadFile(now.FS, f.Name())
			require.NoError(t, err)
			older[f.Name()] = &fstest.MapFile{Data: b}
		}
	}
	now.FS = older
	return now
}

// A partition that is there already takes what is not known, and its rows stay.
func TestOldPartitionsTakeWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	url, pool := pointstest.Database(t, before(t, "00004"))
	st := newStore(pool)
	at := func(seq int64, speed *float64) []points.Arrival {
		return []points.Arrival{{Point: event.Point{Driver: "d", Seq: seq, At: seq, Speed: speed, Heading: speed, Accuracy: speed}, Arrived: time.Now(), Shard: "0", Rises: true}}
	}
	commit := func(context.Context, pgx.Tx, ...shardreader.Position) error { return nil }
	// As a history of that time did it.
	_, err := pool.Exec(t.Context(), `CREATE TABLE history.points_20130701 (LIKE history.points INCLUDING DEFAULTS);
		ALTER TABLE history.points ATTACH PARTITION history.points_20130701 FOR VALUES FROM ('2013-07-01') TO ('2013-07-02')`)
	require.NoError(t, err)
	old := func(speed *float64) error {
		return pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, err := st.insert(t.Context(), tx, at(day2013, speed))
			return err
		})
	}
	require.NoError(t, old(new(0.0)))
	err = old(nil)
	require.ErrorContains(t, err, "null value")

	require.NoError(t, postgres.Migrate(t.Context(), url, Schema()))

	_, err = st.Apply(t.Context(), at(day2013+1, nil), commit)
	require.NoError(t, err)
	_, err = st.Apply(t.Context(), at(day2013+86_400_000, nil), commit)
	require.NoError(t, err, "a new partition too")
	var indexed []string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT array_agg(tablename::text ORDER BY tablename) FROM pg_indexes
		WHERE schemaname = 'history' AND indexdef LIKE '%USING brin%' AND tablename <> 'points'`).Scan(&indexed))
	require.Equal(t, []string{"points_20130702"}, indexed, "building it on the old one would hold up the writer")
	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE speed = 0 AND heading = 0 AND accuracy = 0`))
	require.Equal(t, 2, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE speed IS NULL AND heading IS NULL AND accuracy IS NULL`))
}
