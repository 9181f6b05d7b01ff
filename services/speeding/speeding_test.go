package speeding_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/heatmap"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/speeding"
	"tandem/services/test/pointstest"
	"tandem/services/test/testenv"
)

// A reader that is added finds what came before it, and another one that runs on keeps
// its leases, its checkpoints and its rows.
func TestNobodyChangesForAReaderThatIsAdded(t *testing.T) {
	t.Parallel()
	group := postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()}
	dbURL, pool := testenv.Database(t, heatmap.Schema(), speeding.Schema(), group)
	cfg := pointstest.Config{DatabaseURL: dbURL, AWS: testenv.Emulator(t), Auth: pointstest.Signer(t), Profile: profile.Fast()}
	awsCfg, err := awsclient.New(t.Context(), cfg.AWS)
	require.NoError(t, err)
	client := kinesis.NewFromConfig(awsCfg)
	run := func(run func(context.Context, lifecycle.Env, pointstest.Config) error) {
		_, stop := pointstest.Service{Run: run}.Start(t, cfg)
		t.Cleanup(stop)
	}

	const counted = `SELECT coalesce(sum(n), 0)::int FROM heatmap.cells`
	run(func(ctx context.Context, env lifecycle.Env, c pointstest.Config) error {
		return heatmap.Run(ctx, env, heatmap.Config(c))
	})
	pointstest.Put(t, client, []string{"a", "b", "c"}, 0, 10) // at 28.8 km/h
	pointstest.Eventually(t, pool, 30, counted)

	// All that others have, but for what every renewal writes.
	others := func() (rows string) {
		require.NoError(t, pool.QueryRow(t.Context(), `
			SELECT string_agg(concat_ws(' ', s.group_name, l.shard, l.owner, l.epoch, l.completed_at, c.sequence, c.sub, c.arrived_at, c.records), e'\n'
				ORDER BY s.group_name, l.shard)
			FROM shardgroup.streams s JOIN shardgroup.leases l ON l.stream_id = s.id
			JOIN shardgroup.checkpoints c ON c.stream_id = s.id AND c.shard = l.shard
			WHERE s.group_name <> 'speeding'`).Scan(&rows))
		return rows
	}
	// Also the shard to which nothing was put is somebody's by then.
	pointstest.Eventually(t, pool, 4, `SELECT count(*)::int FROM shardgroup.leases WHERE owner IS NOT NULL`)
	before := others()
	require.Contains(t, before, "heatmap")

	run(func(ctx context.Context, env lifecycle.Env, c pointstest.Config) error {
		return speeding.Run(ctx, env, speeding.Config{DatabaseURL: c.DatabaseURL, AWS: c.AWS, Auth: c.Auth, Profile: c.Profile, Over: 28})
	})
	pointstest.Eventually(t, pool, 3, `SELECT count(*)::int FROM speeding.drivers WHERE round(kmh::numeric, 1) = 28.8`)
	require.Equal(t, before, others())
	require.Equal(t, 30, pointstest.Count(t, pool, counted))

	// And the same producer's next points reach both.
	pointstest.Put(t, client, []string{"d"}, 0, 10)
	pointstest.Eventually(t, pool, 4, `SELECT count(*)::int FROM speeding.drivers`)
	pointstest.Eventually(t, pool, 40, counted)
}

// At most so fast is not faster, and a point whose speed nobody has measured is neither.
func TestOnlyWhoWasFasterIsKept(t *testing.T) {
	t.Parallel()
	dbURL, pool := pointstest.Database(t, speeding.Schema())
	cfg := pointstest.Config{DatabaseURL: dbURL, AWS: testenv.Emulator(t), Auth: pointstest.Signer(t), Profile: profile.Fast()}
	awsCfg, err := awsclient.New(t.Context(), cfg.AWS)
	require.NoError(t, err)
	pointstest.Put(t, kinesis.NewFromConfig(awsCfg), []string{"a", "b"}, 0, 5)

	_, stop := pointstest.Service{Run: func(ctx context.Context, env lifecycle.Env, c pointstest.Config) error {
		return speeding.Run(ctx, env, speeding.Config{DatabaseURL: c.DatabaseURL, AWS: c.AWS, Auth: c.Auth, Profile: c.Profile, Over: 28.8})
	}}.Start(t, cfg)
	defer stop()
	require.Eventually(t, func() bool { return pointstest.Count(t, pool, pointstest.Records) == 10 }, 10*time.Second, 20*time.Millisecond)
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*)::int FROM speeding.drivers`))
}

// The tutorial says that a reader is under 100 lines, both the one that stays and the
// one that asks once.
func TestAReaderIsUnder100Lines(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"*.go", "../tools/lab/speeding/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		lines := 0
		for _, f := range files {
			if f == "speeding_test.go" {
				continue
			}
			source, err := os.ReadFile(f)
			require.NoError(t, err)
			lines += bytes.Count(source, []byte("\n"))
		}
		require.NotZero(t, lines)
		require.Less(t, lines, 100, pattern)
	}
}
