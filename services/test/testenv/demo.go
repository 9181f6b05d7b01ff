package testenv

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
)

// DemoDir returns a folder for a demo's data, which Postgres' unprivileged user can
// reach. It is kept, and named, where the test fails.
func DemoDir(t testing.TB, name string) string {
	t.Helper()
	cache, err := runfile.CacheDir()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(cache, 0o755))
	dir, err := os.MkdirTemp(cache, name+"-")
	require.NoError(t, err)

	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the demo's data and logs are kept in %s", dir)
			return
		}
		_ = os.RemoveAll(dir) // best effort: it is a cache folder
	})
	require.NoError(t, os.Chmod(dir, 0o711))
	return dir
}

// FreeAddr returns an address of this machine at which nobody listens.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
