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

// A disk that was full for a moment silences nobody for the rest of its life.
func TestLogFileIsOpenedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	l, err := openLog(dir, "booking", 10)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	write := func(line string) {
		n, err := l.Write([]byte(line))
		require.NoError(t, err, "an error would end the process's output")
		require.Equal(t, len(line), n)
	}

	write("first line\n")
	require.NoError(t, os.Rename(dir, dir+"-away"))
	write("second line\n") // the next file cannot be opened
	require.NoError(t, os.Rename(dir+"-away", dir))
	write("third line\n")

	b, err := os.ReadFile(filepath.Join(dir, "booking.log"))
	require.NoError(t, err)
	require.Contains(t, string(b), "third line")
}
