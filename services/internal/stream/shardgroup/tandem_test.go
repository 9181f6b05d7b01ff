package shardgroup_test

import (
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/test/testenv"
)

// newDatabase opens a database on a Postgres server that tests may create
// databases on. Whoever copies this package writes these lines for their own server.
func newDatabase() (pool *pgxpool.Pool, closePool func()) {
	tb, stop := testenv.Example()
	_, pool = testenv.Database(tb)
	return pool, stop
}
