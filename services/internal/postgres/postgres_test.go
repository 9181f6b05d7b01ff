package postgres_test

import (
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
	require.ErrorIs(t, postgres.CheckVersion(t.Context(), url, old), postgres.ErrSchemaVersion, "nothing is there")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := postgres.Migrate(t.Context(), url, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, postgres.CheckVersion(t.Context(), url, now))
	err := postgres.CheckVersion(t.Context(), url, schema("00001_first", "00002_second", "00003_third"))
	require.ErrorIs(t, err, postgres.ErrSchemaVersion)
	require.ErrorContains(t, err, "tandem migrate")
	_, err = pool.Exec(t.Context(), "SELECT x FROM shop.t_00002_second")
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
