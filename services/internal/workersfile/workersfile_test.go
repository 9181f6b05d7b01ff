package workersfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/workersfile"
)

func TestReadReturnsWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "workers.json")
	_, err := workersfile.Read(path)
	require.ErrorIs(t, err, fs.ErrNotExist)

	for _, want := range []workersfile.File{
		{Workers: []workersfile.Worker{{Name: "dispatch-1", URL: "http://127.0.0.1:1"}}},
		{Decision: &workersfile.Decision{At: time.Now().UTC(), Want: 3, Min: 2, Max: 6, Because: "many wait"}},
	} {
		require.NoError(t, workersfile.Write(path, want))
		got, err := workersfile.Read(path)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	require.NoError(t, os.WriteFile(path, []byte(`{"workers":`), 0o600))
	_, err = workersfile.Read(path)
	require.ErrorContains(t, err, path)
}
