package shardgroup_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// stateOf returns what the database knows of one shard.
func stateOf(t *testing.T, pool *pgxpool.Pool, shard string) shardgroup.ShardState {
	t.Helper()
	all, err := shardgroup.States(t.Context(), pool, "test")
	require.NoError(t, err)
	i := slices.IndexFunc(all, func(s shardgroup.ShardState) bool { return s.Shard == shard })
	require.GreaterOrEqual(t, i, 0)
	return all[i]
}

func inTx(t *testing.T, pool *pgxpool.Pool, do func(ctx context.Context, tx pgx.Tx) error) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return do(t.Context(), tx) }))
}

func TestAPausedShardIsReadByNobodyUntilItIsResumed(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	want := put(s, 0, 4, "0", "1")

	// Of the second batch of shard 0 the rows are written, and the commit is to come.
	var hold atomic.Bool
	held, release := make(chan struct{}, 1), make(chan struct{})
	a := &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		if b.Shard == "0" && hold.Load() {
			held <- struct{}{}
			<-release
		}
		return nil
	}}
	g, _ := start(t, s, a, nil)
	eventually(t, pool, want)
	hold.Store(true)
	want = append(want, put(s, 4, 2, "0", "1")...)
	<-held

	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error { return shardgroup.Pause(ctx, tx, stateOf(t, pool, "0")) })
	hold.Store(false)
	close(release)
	paused := func() shardgroup.ShardStatus { return g.Status().Shards[0] }
	require.Eventually(t, func() bool { return paused().Paused && paused().Known }, 10*time.Second, 5*time.Millisecond)
	since := stateOf(t, pool, "0").PausedAt
	require.NotNil(t, since)
	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error { return shardgroup.Pause(ctx, tx, stateOf(t, pool, "0")) })
	require.Equal(t, since, stateOf(t, pool, "0").PausedAt, "it is paused already")
	require.Empty(t, stateOf(t, pool, "0").Worker)

	// The other one goes on, also with a worker more to share them with.
	b := &applier{pool: pool, worker: "b"}
	start(t, s, b, nil)
	want = append(want, put(s, 6, 2, "0", "1")...)
	eventually(t, pool, []string{want[0], want[1], want[2], want[3], want[5], want[7]})
	lag := paused().Behind
	require.Positive(t, lag)
	require.Eventually(t, func() bool { return paused().Behind > lag }, 10*time.Second, 5*time.Millisecond, "it climbs")

	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error { return shardgroup.Resume(ctx, tx, stateOf(t, pool, "0")) })
	eventually(t, pool, want)
	require.Nil(t, stateOf(t, pool, "0").PausedAt)
}

// What has called Commit and not committed yet is waited for: once a pause is there,
// nothing more comes.
func TestAPauseWaitsForACommitThatIsUnderWay(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	var hold atomic.Bool
	held, release := make(chan struct{}, 1), make(chan struct{})
	start(t, s, &applier{pool: pool, worker: "a"}, func(o *shardgroup.Options) {
		inner := shardgroup.InTx(pool, func(context.Context, pgx.Tx, shardreader.Batch) error { return nil })
		o.Processor = func(string) shardgroup.Processor {
			return processor(func(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
				return inner.Process(ctx, b, func(ctx context.Context, tx pgx.Tx, upTo ...shardreader.Position) error {
					err := commit(ctx, tx, upTo...)
					if hold.CompareAndSwap(true, false) {
						held <- struct{}{}
						<-release
					}
					return err
				})
			})
		}
	})
	free := sync.OnceFunc(func() { close(release) })
	t.Cleanup(free) // before the worker is stopped, which waits for it
	hold.Store(true)
	put(s, 0, 1, "0")
	<-held

	pause := func() error {
		return pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SET LOCAL lock_timeout = '50ms'`); err != nil {
				return err
			}
			return shardgroup.Pause(t.Context(), tx, stateOf(t, pool, "0"))
		})
	}
	require.ErrorContains(t, pause(), "lock timeout")
	free()
	require.Eventually(t, func() bool { return pause() == nil }, 10*time.Second, 10*time.Millisecond)
	require.NotEmpty(t, stateOf(t, pool, "0").Sequence)
}

func TestAShardIsReadAgainFromATime(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	a := &applier{pool: pool, worker: "a"}
	// Looks and renewals are far apart: the shard is quiet, and its owner hears of it.
	start(t, s, a, func(o *shardgroup.Options) { o.Lease = 5 * time.Minute })
	now := time.Now()
	want := []string{"0000", "0001", "0002", "0003"}
	for i, d := range want {
		s.PutAt(now.Add(time.Duration(i-4)*time.Minute), "0", "k", []byte(d))
	}
	other := put(s, 4, 2, "1")
	want = append(want, other...)
	eventually(t, pool, want)
	end, to := stateOf(t, pool, "0").Sequence, now.Add(-150*time.Second).Truncate(time.Millisecond)
	_, err := pool.Exec(t.Context(), `UPDATE shardgroup.checkpoints SET tip_at = now()`)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), stateOf(t, pool, "0").Known, time.Minute, "it was at the tip")

	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		if err := shardgroup.Seek(ctx, tx, to, stateOf(t, pool, "0")); err != nil {
			return err
		}
		all, err := shardgroup.States(ctx, tx, "test")
		require.WithinDuration(t, to, all[0].Known, 0, "of what came after nothing is known")
		return err
	})
	require.True(t, stateOf(t, pool, "0").Begun, "although its checkpoint is empty")
	eventually(t, pool, []string{"0000", "0001", "0002", "0002", "0003", "0003", "0004", "0005"})
	require.Equal(t, end, stateOf(t, pool, "0").Sequence)

	// And twice, before a record was read in between: the second counts.
	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error { return shardgroup.Seek(ctx, tx, to, stateOf(t, pool, "0")) })
	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		return shardgroup.Seek(ctx, tx, to.Add(-time.Hour), stateOf(t, pool, "0"))
	})
	require.Eventually(t, func() bool { return count(t, pool, `SELECT count(*) FROM applied WHERE data = '0000'`) == 2 }, 10*time.Second, 5*time.Millisecond)
}

func TestARecordThatAlwaysFailsStandsAloneUntilItIsSetAside(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	want := put(s, 0, 20, "0", "1")
	a := &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		for _, r := range b.Records {
			if string(r.Data) == "0012" {
				return errors.New("a constraint says no") // and not which record it was
			}
		}
		return nil
	}}
	g, _ := start(t, s, a, nil)

	// What stands before it is applied, and the other shard too.
	held := func(d string) bool { return slices.Index(want, d) >= 12 && slices.Index(want, d)%2 == 0 }
	eventually(t, pool, slices.DeleteFunc(slices.Clone(want), held))

	stuck := func() shardgroup.ShardState { return stateOf(t, pool, "0") }
	require.Eventually(t, func() bool { return stuck().FailingAt != nil }, 20*time.Second, 10*time.Millisecond)
	state := stuck()
	require.Contains(t, state.Failing, "a constraint says no")
	lag := g.Status().Shards[0].Behind
	require.Eventually(t, func() bool { return g.Status().Shards[0].Behind > lag }, 10*time.Second, 5*time.Millisecond, "it climbs")

	poison := shardreader.Record{Position: *state.FailingAt, Key: "k", Data: []byte(want[12]), Arrived: time.Now()}
	inside := state
	inside.Sub++ // of the same aggregate
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		return shardgroup.SetAside(t.Context(), tx, inside, poison, "another", false)
	})
	require.ErrorIs(t, err, shardgroup.ErrMoved)
	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		return shardgroup.SetAside(ctx, tx, state, poison, "looked at", false)
	})
	eventually(t, pool, slices.Delete(slices.Clone(want), 12, 13))
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.dead_records WHERE convert_from(data, 'UTF8') = '0012' AND reason = 'looked at'`))
	require.Eventually(t, func() bool { return stuck().Failing == "" && stuck().FailingAt == nil }, 10*time.Second, 10*time.Millisecond)
	require.EqualValues(t, 1, stuck().Parked)

	require.Equal(t, 20, count(t, pool, `SELECT sum(records)::int FROM shardgroup.checkpoints`), "with the one that was set aside")

	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		return shardgroup.SetAside(t.Context(), tx, state, poison, "again", false)
	})
	require.ErrorIs(t, err, shardgroup.ErrMoved)
	_, err = pool.Exec(t.Context(), `INSERT INTO shardgroup.dead_records (stream_id, shard, sequence, sub, key, data, arrived_at, reason)
		SELECT stream_id, '1', sequence, sub, key, data, arrived_at, reason FROM shardgroup.dead_records`)
	require.NoError(t, err)
	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		n, err := shardgroup.SkipParked(ctx, tx, stuck())
		require.EqualValues(t, 1, n)
		return err
	})
	require.Zero(t, stuck().Parked)
	require.EqualValues(t, 1, stateOf(t, pool, "1").Parked, "nobody has looked at the other shard's")
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.dead_records`), "their bytes are kept")
}

func TestADrainedShardIsReadAgainBeforeItsChildren(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	a := &applier{pool: pool, worker: "a"}
	start(t, s, a, nil)
	before := time.Now().Add(-time.Second)
	want := put(s, 0, 3, "0")
	s.Reshard([]string{"0"}, []string{"1", "2"})
	want = append(want, put(s, 3, 4, "1", "2")...)
	eventually(t, pool, want)
	require.Eventually(t, func() bool { return stateOf(t, pool, "0").Drained }, 10*time.Second, 5*time.Millisecond)

	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return shardgroup.Pause(t.Context(), tx, stateOf(t, pool, "0")) })
	require.ErrorIs(t, err, shardgroup.ErrMoved, "there is nothing to pause")
	_, err = shardgroup.States(t.Context(), pool, "nobody")
	require.ErrorIs(t, err, shardgroup.ErrNoGroup)

	all, err := shardgroup.States(t.Context(), pool, "")
	require.NoError(t, err)
	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error { return shardgroup.Seek(ctx, tx, before, all...) })
	eventually(t, pool, slices.Sorted(slices.Values(slices.Concat(want, want))))
	require.Zero(t, count(t, pool, `SELECT count(*) FROM applied a, applied b WHERE a.id > 7 AND b.id > 7 AND a.shard = '0' AND b.shard <> '0' AND a.id > b.id`))
}

func TestAShardThatIsSentBackHoldsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	blocked, open := make(chan struct{}, 1), make(chan struct{})
	var again atomic.Bool
	start(t, s, &applier{pool: pool, worker: "a", before: func(ctx context.Context, b shardreader.Batch) error {
		if b.Shard == "0" && again.Load() {
			select {
			case blocked <- struct{}{}:
			default:
			}
			select {
			case <-open:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}}, nil)
	before := time.Now().Add(-time.Second)
	want := put(s, 0, 1, "0")
	s.Reshard([]string{"0"}, []string{"1", "2"})
	s.Reshard([]string{"1"}, []string{"3", "4"}) // a child that is drained stands between
	want = append(want, put(s, 1, 3, "2", "3", "4")...)
	eventually(t, pool, want)

	again.Store(true)
	inTx(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		return shardgroup.Seek(ctx, tx, before, stateOf(t, pool, "0"))
	})
	<-blocked
	for _, shard := range []string{"2", "3", "4"} {
		require.Empty(t, stateOf(t, pool, shard).Worker, "%s waits for the shard it came from", shard)
	}
	s.Put("3", "k", []byte("0009"))
	close(open)
	eventually(t, pool, []string{"0000", "0000", "0001", "0002", "0003", "0009"})
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM applied a, applied b WHERE a.data = '0000' AND b.data = '0009' AND a.id > 4 AND a.id < b.id`))
}
