package postgres_test

import (
	"context"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/postgres"
	"tandem/services/test/testenv"
)

func schema(versions ...string) postgres.Schema {
	fs := fstest.MapFS{}
	for _, v := range versions {
		fs[v+".sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE shop.t_" + v + " (x int);\n")}
	}
	return postgres.Schema{Name: "shop", FS: fs}
}

func TestMigrateIsForManyAtOnceAndOnce(t *testing.T) {
	url, pool := testenv.Database(t)
	old, now := schema("00001_first"), schema("00001_first", "00002_second")
	// An index that is built beside writers waits for every statement under way, so nobody may wait for it in one.
	now.FS.(fstest.MapFS)["00003_index.sql"] = &fstest.MapFile{Data: []byte(`-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.by_x;
CREATE INDEX CONCURRENTLY by_x ON shop.t_00001_first (x);
RESET lock_timeout;
`)}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.ErrorIs(t, postgres.CheckVersion(t.Context(), url, old), postgres.ErrSchemaVersion, "nothing is there")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := postgres.Migrate(ctx, url, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, postgres.CheckVersion(t.Context(), url, now))
	err := postgres.CheckVersion(t.Context(), url, schema("00001_first", "00002_second", "00003_third", "00004_fourth"))
	require.ErrorIs(t, err, postgres.ErrSchemaVersion)
	require.ErrorContains(t, err, "tandem migrate")
	_, err = pool.Exec(t.Context(), "SELECT x FROM shop.t_00002_second")
	require.NoError(t, err)
}

// A migration that waits for a table does not keep those who write to it waiting, and is
// done once it can have the table; whoever holds it for too long is told of.
func TestAMigrationHoldsNobodyUp(t *testing.T) {
	old, now := schema("00001_first"), schema("00001_first")
	now.FS.(fstest.MapFS)["00002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE shop.t_00001_first ADD COLUMN y int;\n")}
	url, pool := testenv.Database(t, old)
	reader, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = reader.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = reader.Exec(t.Context(), "SELECT FROM shop.t_00001_first")
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = postgres.MigrateWithin(ctx, url, 50*time.Millisecond, 100*time.Millisecond, now)
	require.True(t, postgres.Busy(err), err)
	require.ErrorContains(t, err, "pg_stat_activity")
	require.NoError(t, postgres.CheckVersion(t.Context(), url, old))

	done := make(chan error, 1)
	go func() { done <- postgres.MigrateWithin(ctx, url, time.Second, time.Minute, now) }()
	require.Eventually(t, func() bool {
		var waits bool
		err := pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'shop.t_00001_first'::regclass AND NOT granted)").Scan(&waits)
		return err == nil && waits
	}, 10*time.Second, 10*time.Millisecond)
	_, err = pool.Exec(t.Context(), "INSERT INTO shop.t_00001_first (x) VALUES (1)")
	require.NoError(t, err, "it waits behind the migration, for less time than it may")

	require.NoError(t, reader.Rollback(t.Context()))
	require.NoError(t, <-done)
	_, err = pool.Exec(t.Context(), "SELECT y FROM shop.t_00001_first")
	require.NoError(t, err)
}

func TestSessionsGiveUpBeforeALeaseEnds(t *testing.T) {
	url, _ := testenv.Database(t)
	pool, err := postgres.Open(t.Context(), url, postgres.PoolOptions{App: "shop", LeaseTime: 10 * time.Second})
	require.NoError(t, err)
	defer pool.Close()
	for name, want := range map[string]string{"lock_timeout": "8s", "idle_in_transaction_session_timeout": "8s", "application_name": "tandem-shop", "timezone": "UTC"} {
		var got string
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got))
		require.Equal(t, want, got, name)
	}
	_, err = postgres.Open(t.Context(), "not a url", postgres.PoolOptions{})
	require.ErrorContains(t, err, "postgres://", "it says what one looks like")
	require.NotContains(t, err.Error(), "not a url", "and does not repeat what may hold a password")
}
