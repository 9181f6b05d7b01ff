package shardgroup_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
)

// newGroupDatabase creates a database that has the schema of this package, on the
// server of newDatabase. It returns the database's URL and what drops it.
func newGroupDatabase() (dbURL string, drop func()) {
	ctx := context.Background()
	server, closeServer := newDatabase()
	name := "shardgroup_" + strings.ToLower(rand.Text())
	_, err := server.Exec(ctx, "CREATE DATABASE "+name)
	must(err)

	u, err := url.Parse(server.Config().ConnString())
	must(err)
	u.Path = "/" + name
	pool, err := pgxpool.New(ctx, u.String())
	must(err)
	defer pool.Close()
	createSchema(ctx, pool)

	return u.String(), func() {
		_, err := server.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		must(err)
		closeServer()
	}
}

// createSchema does what a program leaves to goose.
func createSchema(ctx context.Context, pool *pgxpool.Pool) {
	_, err := pool.Exec(ctx, "CREATE SCHEMA "+shardgroup.SchemaName)
	must(err)

	files, err := fs.Glob(shardgroup.Migrations(), "*.sql") // sorted, as goose takes them
	must(err)
	for _, name := range files {
		sql, err := fs.ReadFile(shardgroup.Migrations(), name)
		must(err)
		up, _, _ := strings.Cut(string(sql), "-- +goose Down")
		_, err = pool.Exec(ctx, up)
		must(err)
	}
}

// must panics: an Example has no testing.TB to fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// openPool opens a database as a worker does: a transaction in which its process
// is frozen ends before its lease has expired.
func openPool(ctx context.Context, dbURL string, lease time.Duration) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(dbURL)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = 8

	below := fmt.Sprint((lease * 8 / 10).Milliseconds())
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = below
	cfg.ConnConfig.RuntimeParams["lock_timeout"] = below
	return pgxpool.NewWithConfig(ctx, cfg)
}

// testDatabase returns a database for one test.
func testDatabase(t *testing.T) (dbURL string, pool *pgxpool.Pool) {
	t.Helper()
	dbURL, drop := newGroupDatabase()
	t.Cleanup(drop)

	pool, err := openPool(context.Background(), dbURL, 10*time.Second)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return dbURL, pool
}

// applierDatabase returns one that has a table for an applier.
func applierDatabase(t *testing.T) *pgxpool.Pool {
	t.Helper()
	_, pool := testDatabase(t)
	// No key: what is applied twice is seen twice.
	_, err := pool.Exec(context.Background(), `CREATE TABLE applied (id bigserial, worker text, shard text, data text)`)
	require.NoError(t, err)
	return pool
}
