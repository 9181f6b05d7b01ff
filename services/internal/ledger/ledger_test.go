package ledger_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/ledger"
)

func TestLedgerKeepsWhatWasPromised(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	w, err := ledger.Open(path, 400)
	require.NoError(t, err)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 6 {
		require.NoError(t, w.Write(ledger.Entry{At: at, Kind: ledger.KindPoints, Points: &ledger.PointsEntry{
			Driver: "d", Seqs: []int64{int64(i)*10 + 1, int64(i)*10 + 2}, Status: 202, AcceptedThrough: int64(i)*10 + 2,
		}}))
	}
	require.NoError(t, w.Close())
	require.FileExists(t, path+".1", "it rotates by size")

	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"at":"2026-01-01T00:0`)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	var seqs []int64
	require.NoError(t, ledger.Read(path, func(e ledger.Entry) error {
		seqs = append(seqs, e.Points.Promised()...)
		return nil
	}))
	require.Equal(t, []int64{1, 2, 11, 12, 21, 22, 31, 32, 41, 42, 51, 52}, seqs, "in order, the torn line left out")

	w, err = ledger.Open(path, 0)
	require.NoError(t, err)
	require.NoError(t, w.Write(ledger.Entry{At: at, Kind: ledger.KindRide, Ride: &ledger.RideEntry{Key: "k", Status: 201}}))
	require.NoError(t, w.Close())
	n := 0
	require.NoError(t, ledger.Read(path, func(ledger.Entry) error { n++; return nil }), "the next writer cuts the torn line")
	require.Equal(t, 7, n)
}

func TestPromisedIsTheAcceptedPrefixLessTheRefused(t *testing.T) {
	p := ledger.PointsEntry{Seqs: []int64{1, 2, 3, 4}, Status: 503, AcceptedThrough: 3, Refused: []int64{2}}
	require.Equal(t, []int64{1, 3}, p.Promised())
}
