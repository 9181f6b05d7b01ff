package shardgroup_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestRecreatedStreamLeavesAGapForEachShard(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	want := put(s, 0, 4, "0", "1")
	start(t, s, &applier{pool: pool, worker: "a"}, nil)
	eventually(t, pool, want)

	before := stateOf(t, pool, "0").Created
	s.Recreate("0", "1")
	want = append(want, put(s, 4, 4, "0", "1")...)
	eventually(t, pool, want)
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE reason = 'stream_recreated' AND from_at <= to_at`))
	require.True(t, stateOf(t, pool, "0").Created.After(before), "it is asked for the newest life")
}

func TestCheckpointOlderThanTheStreamKeepsLeavesAGap(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	put(s, 0, 3, "0")
	fail := errors.New("not the third")
	_, stop := start(t, s, &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		if string(b.Records[0].Data) == "0002" {
			return fail
		}
		return nil
	}}, nil)
	eventually(t, pool, []string{"0000", "0001", "0002"})
	stop()

	put(s, 3, 2, "0")
	s.Trim("0", 4)
	// As if it had never been at the tip: applied record and tip are one.
	_, err := pool.Exec(context.Background(), `UPDATE shardgroup.checkpoints SET tip_at = NULL`)
	require.NoError(t, err)

	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	eventually(t, pool, []string{"0000", "0001", "0002", "0004"})
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE reason = 'trimmed'`))
}

// stuck runs a worker until it has failed at a record, and stops it.
func stuck(t *testing.T, pool *pgxpool.Pool, s *fakestream.Stream, at string) {
	t.Helper()
	g, stop := start(t, s, &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		if string(b.Records[0].Data) == at {
			return errors.New("no")
		}
		return nil
	}}, nil)
	require.Eventually(t, func() bool {
		st := g.Status()
		return len(st.Shards) == 1 && st.Shards[0].Err != nil
	}, 20*time.Second, 10*time.Millisecond)
	stop()
}

func TestAShardThatNeverHadACheckpointLeavesAGap(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	put(s, 0, 2, "0")
	stuck(t, pool, s, "0000")
	// As if it had been stuck for a day, in which a record passed retention.
	s.Trim("0", 1)
	_, err := pool.Exec(t.Context(), `UPDATE shardgroup.leases SET since = since - interval '26 hours'`)
	require.NoError(t, err)

	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	eventually(t, pool, []string{"0001"})
	require.Equal(t, 1, count(t, pool, `
		SELECT count(*) FROM shardgroup.gaps g JOIN shardgroup.leases l USING (stream_id, shard)
		WHERE g.reason = 'trimmed' AND g.from_at = l.since AND g.to_at < now() - interval '23 hours'`))
}

// Each try finds that more has passed retention since the one before.
func TestAShardThatStaysStuckPastRetentionLeavesOneGapThatGrows(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	put(s, 0, 2, "0")
	stuck(t, pool, s, "0000")
	s.Trim("0", 1)
	_, err := pool.Exec(t.Context(), `UPDATE shardgroup.leases SET since = since - interval '26 hours'`)
	require.NoError(t, err)

	var tries atomic.Int64
	var down atomic.Bool
	down.Store(true)
	start(t, s, &applier{pool: pool, worker: "b", before: func(context.Context, shardreader.Batch) error {
		if tries.Add(1); down.Load() {
			return errors.New("no")
		}
		return nil
	}}, nil)
	require.Eventually(t, func() bool { return tries.Load() >= 5 }, 30*time.Second, 10*time.Millisecond)
	down.Store(false)
	eventually(t, pool, []string{"0001"})
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.gaps`))
	require.Equal(t, 1, count(t, pool, `
		SELECT count(*) FROM shardgroup.gaps g JOIN shardgroup.leases l USING (stream_id, shard) JOIN shardgroup.checkpoints c USING (stream_id, shard)
		WHERE g.from_at = l.since AND g.to_at > g.noted_at - interval '24 hours'`), "up to the last try")
}

func TestARaisedRetentionLeavesNoGap(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 2, "0")
	var tries atomic.Int64
	var down atomic.Bool
	down.Store(true)
	start(t, s, &applier{pool: pool, worker: "a", before: func(context.Context, shardreader.Batch) error {
		if tries.Add(1); down.Load() {
			return errors.New("no")
		}
		return nil
	}}, nil)
	require.Eventually(t, func() bool { return tries.Load() >= 1 }, 10*time.Second, 5*time.Millisecond)

	// Twice: the second look begins after the first one's end.
	s.SetRetention(168)
	for range 2 {
		looks := s.Calls("DescribeStreamSummary")
		_, err := pool.Exec(t.Context(), `SELECT pg_notify('shardgroup', 'test/0/recreated')`)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return s.Calls("DescribeStreamSummary") > looks }, 10*time.Second, 5*time.Millisecond)
	}

	_, err := pool.Exec(t.Context(), `UPDATE shardgroup.leases SET since = since - interval '26 hours'`)
	require.NoError(t, err)
	before := tries.Load()
	require.Eventually(t, func() bool { return tries.Load() >= before+3 }, 30*time.Second, 5*time.Millisecond)
	down.Store(false)
	eventually(t, pool, want)
	require.Zero(t, count(t, pool, `SELECT count(*) FROM shardgroup.gaps`), "the stream has it all")
}

func TestAParentThatIsNoLongerListedLeavesAGapBeforeItsChildIsRead(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	s.Limit(1)
	put(s, 0, 3, "0")
	stuck(t, pool, s, "0002")
	s.Reshard([]string{"0"}, []string{"1"})
	put(s, 3, 1, "1")
	// As if it had been stuck for a day, in which all of the shard passed retention.
	s.Drop("0")
	_, err := pool.Exec(t.Context(), `UPDATE shardgroup.checkpoints SET arrived_at = now() - interval '26 hours', tip_at = NULL`)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `UPDATE shardgroup.leases SET since = since - interval '26 hours'`)
	require.NoError(t, err)

	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	eventually(t, pool, []string{"0000", "0001", "0003"})
	require.Positive(t, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE shard = '0' AND reason = 'trimmed'`))
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE shard = '0' AND completed_at IS NOT NULL`))
}

func TestAClosedShardOfWhichNothingIsKeptLeavesAGap(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	s.Limit(1)
	put(s, 0, 2, "0")
	stuck(t, pool, s, "0001")
	s.Reshard([]string{"0"}, []string{"1"})
	put(s, 2, 1, "1")
	s.Trim("0", 2)

	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	eventually(t, pool, []string{"0000", "0002"})
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE shard = '0' AND reason = 'trimmed'`))
}
