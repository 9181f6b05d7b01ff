package ledger_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/ledger"
)

type line struct {
	N    int
	Text string
}

func TestLedgerKeepsWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	w, err := ledger.Open(path, 400)
	require.NoError(t, err)
	for i := range 6 {
		require.NoError(t, w.Write(line{N: i, Text: strings.Repeat("x", 100)}))
	}
	require.NoError(t, w.Close())
	require.FileExists(t, path+".1", "it rotates by size")

	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"N":99,"Te`)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	read := func() (ns []int) {
		require.NoError(t, ledger.Read(path, func(l line) error {
			ns = append(ns, l.N)
			return nil
		}))
		return ns
	}
	require.Equal(t, []int{0, 1, 2, 3, 4, 5}, read(), "in order, the torn line left out")

	w, err = ledger.Open(path, 0)
	require.NoError(t, err)
	require.NoError(t, w.Write(line{N: 6}))
	require.NoError(t, w.Close())
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, read(), "the next writer cuts the torn line")
}

func TestReadAllReadsEveryWritersLedger(t *testing.T) {
	main := filepath.Join(t.TempDir(), "[data]", "ledger.jsonl")
	require.NoError(t, os.Mkdir(filepath.Dir(main), 0o700))
	other := ledger.Beside(main, "feed-1")
	require.Equal(t, "ledger-feed-1.jsonl", filepath.Base(other))
	for i, path := range []string{main, other} {
		w, err := ledger.Open(path, 0)
		require.NoError(t, err)
		require.NoError(t, w.Write(line{N: i}))
		require.NoError(t, w.Close())
	}

	var ns []int
	require.NoError(t, ledger.ReadAll(main, func(l line) error {
		ns = append(ns, l.N)
		return nil
	}))
	require.Equal(t, []int{0, 1}, ns)
}
