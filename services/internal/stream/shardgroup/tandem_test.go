package shardgroup_test

import (
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/test/testenv"
)

// newDatabase creates a database, applies Migrations to it and returns its URL,
// and what drops it. Whoever copies this package writes these lines for the
// Postgres that he has.
func newDatabase() (url string, drop func()) {
	tb, drop := testenv.Example()
	url, _ = testenv.Database(tb, postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	return url, drop
}
