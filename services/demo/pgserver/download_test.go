package pgserver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnpackWritesNothingOfAnotherFile(t *testing.T) {
	dir := t.TempDir()
	tarball := filepath.Join(dir, "x.tgz")
	require.NoError(t, os.WriteFile(tarball, []byte("not what was published"), 0o600))
	p, ok := embedded()
	if !ok {
		t.Skip("no package for this platform")
	}
	require.ErrorIs(t, unpack(tarball, p.sha512, filepath.Join(dir, "out")), errDigest)
	require.NoDirExists(t, filepath.Join(dir, "out"))
}
