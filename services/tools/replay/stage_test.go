package replay

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/test/pointstest"
	"tandem/services/test/testenv"
)

// stage is a stream with its readers, on the emulator and a real Postgres.
type stage struct {
	dbURL  string
	pool   *pgxpool.Pool
	aws    awsclient.Config
	stream *kinesis.Client
}

const (
	rows = `SELECT count(*)::int FROM history.points`
	day  = "points_20140203" // where pointstest.Put's points lie
)

func newStage(t *testing.T) *stage {
	t.Helper()
	// Without limits: the readers at the tip poll so often that AWS's five calls a second of
	// a shard would be theirs, and each replay would wait for a turn.
	s := &stage{aws: testenv.Emulator(t, func(c *emulator.Config) { c.Limits = false })}
	s.dbURL, s.pool = testenv.Database(t, history.Schema(), heatmap.Schema(), postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	cfg, err := awsclient.New(t.Context(), s.aws)
	require.NoError(t, err)
	s.stream = kinesis.NewFromConfig(cfg)
	return s
}

// read runs history.
func (s *stage) read(t *testing.T) {
	t.Helper()
	s.run(t, func(ctx context.Context, env lifecycle.Env, cfg pointstest.Config) error {
		return history.Run(ctx, env, history.Config{DatabaseURL: cfg.DatabaseURL, AWS: cfg.AWS, Auth: cfg.Auth, Profile: cfg.Profile})
	})
}

func (s *stage) run(t *testing.T, service func(context.Context, lifecycle.Env, pointstest.Config) error) {
	t.Helper()
	_, stop := pointstest.Service{Run: service}.Start(t, pointstest.Config{DatabaseURL: s.dbURL, AWS: s.aws, Auth: pointstest.Signer(t), Profile: profile.Fast()})
	t.Cleanup(stop)
}

// put puts points and waits until history has that many rows. It returns a time that
// parts what has arrived from what is yet to.
func (s *stage) put(t *testing.T, drivers []string, from, n, want int) time.Time {
	t.Helper()
	pointstest.Put(t, s.stream, drivers, from, n)
	return s.stored(t, want)
}

func (s *stage) stored(t *testing.T, want int) time.Time {
	t.Helper()
	pointstest.Eventually(t, s.pool, want, rows)
	var last time.Time
	require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT max(arrived_at) FROM history.points`).Scan(&last))
	for !time.Now().After(last.Add(2 * time.Millisecond)) {
		time.Sleep(time.Millisecond) //nolint:forbidigo // the stamps have milliseconds, and the next one must be another
	}
	return last.Add(time.Millisecond)
}

// one puts one record that is no aggregate.
func (s *stage) one(t *testing.T, key string, data []byte) {
	t.Helper()
	_, err := s.stream.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String(event.Stream), Data: data, PartitionKey: &key})
	require.NoError(t, err)
}

// split splits the first open shard and waits until the children are there.
func (s *stage) split(t *testing.T) {
	t.Helper()
	out, err := s.stream.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(event.Stream)})
	require.NoError(t, err)
	_, err = s.stream.SplitShard(t.Context(), &kinesis.SplitShardInput{
		StreamName: aws.String(event.Stream), ShardToSplit: out.Shards[0].ShardId, NewStartingHashKey: aws.String("42535295865117307932921825928971026432"),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		now, err := s.stream.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(event.Stream)})
		return err == nil && now.StreamDescriptionSummary.StreamStatus == types.StreamStatusActive &&
			int(aws.ToInt32(now.StreamDescriptionSummary.OpenShardCount)) == len(out.Shards)+1
	}, 10*time.Second, 10*time.Millisecond)
}

func (s *stage) config(span Span) Config {
	return Config{DatabaseURL: s.dbURL, AWS: s.aws, Span: span, Out: &bytes.Buffer{}}
}

// passed waits until the readers have passed the span.
func (s *stage) passed(t *testing.T, reader string, span Span) {
	t.Helper()
	require.Eventually(t, func() bool {
		r, err := open(t.Context(), s.config(span), reader)
		if err == nil {
			r.pool.Close()
		}
		return !errors.Is(err, ErrRefused)
	}, 20*time.Second, 50*time.Millisecond)
}

func (s *stage) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	tag, err := s.pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
	require.NotZero(t, tag.RowsAffected(), sql)
}
