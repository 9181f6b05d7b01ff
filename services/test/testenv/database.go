// Package testenv starts what tests need: a Postgres database of their own, the
// emulator over HTTP. Only tests import it.
package testenv

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/postgres"
)

// DatabaseURLVar is the environment variable that names the Postgres server on
// which tests create their databases. If it is not set, pgserver starts a server
// for each test.
const DatabaseURLVar = "TANDEM_TEST_DATABASE_URL"

// Database creates a database with the given schemas and drops it when the test
// ends. Tests that use it may run in parallel.
func Database(t testing.TB, schemas ...postgres.Schema) (dbURL string, pool *pgxpool.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	base := os.Getenv(DatabaseURLVar)
	if base == "" {
		base = startServer(t)
	}

	admin, err := pgx.Connect(ctx, base)
	require.NoError(t, err, "connect to the tests' Postgres")
	defer func() { _ = admin.Close(ctx) }()

	var b [6]byte
	_, _ = rand.Read(b[:])
	name := "test_" + hex.EncodeToString(b[:])
	_, err = admin.Exec(ctx, "CREATE DATABASE "+name)
	require.NoError(t, err)

	u, err := url.Parse(base)
	require.NoError(t, err)
	u.Path = "/" + name
	dbURL = u.String()
	t.Cleanup(func() {

		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		c, err := pgx.Connect(ctx, base)
		if err != nil {
			t.Logf("drop %s: %v", name, err)
			return
		}
		defer func() { _ = c.Close(ctx) }()
		// WITH (FORCE) ends the sessions of a test that left some open.
		if _, err := c.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Logf("drop %s: %v", name, err)
		}
	})

	require.NoError(t, postgres.Migrate(ctx, dbURL, schemas...))
	pool, err = postgres.Open(ctx, dbURL, postgres.PoolOptions{App: "test"})
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return dbURL, pool
}
