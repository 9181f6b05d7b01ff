package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogFileIsCutBySize(t *testing.T) {
	dir := t.TempDir()
	l, err := openLog(dir, "booking", 100)
	require.NoError(t, err)
	line := strings.Repeat("x", 39) + "\n"
	for range 7 {
		n, err := l.Write([]byte(line))
		require.NoError(t, err)
		require.Equal(t, len(line), n)
	}
	require.NoError(t, l.Close())
	newest, err := os.ReadFile(filepath.Join(dir, "booking.log"))
	require.NoError(t, err)
	older, err := os.ReadFile(filepath.Join(dir, "booking.log.1"))
	require.NoError(t, err)
	require.Len(t, newest, 40)
	require.Len(t, older, 80)
}
