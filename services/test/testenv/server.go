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

// startServer starts a Postgres for one test (half a second), where no shared
// one is named: `make test` names one, a single `go test` need not.
func startServer(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	// Started by root, the server runs as another user, who must get there.
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	cache, err := runfile.CacheDir()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // with a first download
	defer cancel()
	s, err := pgserver.Start(ctx, pgserver.Options{
		Dir: filepath.Join(dir, "postgres"), Cache: cache,
		Settings: []string{"fsync=off"}, Say: func(line string) { t.Log(line) },
	})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s.URL()
}
