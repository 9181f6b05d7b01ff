package testenv

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/pgserver"
	"tandem/services/demo/runfile"
)

// startServer starts a Postgres for one test, which takes half a second. It is for
// a single `go test`; `make test` starts one server for all tests and names it.
func startServer(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	// Started by root, the server runs as another user, who must reach the folder.
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))

	cache, err := runfile.CacheDir()
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // the first time it may download Postgres
	defer cancel()
	s, err := StartPostgres(ctx, pgserver.Options{
		Dir: filepath.Join(dir, "postgres"), Cache: cache,
		Settings: []string{"fsync=off"}, Say: func(line string) { t.Log(line) },
	})
	require.NoError(t, err)

	t.Cleanup(s.Stop)
	return s.URL()
}
