package kpl_test

import (
	"bytes"
	"cmp"
	"crypto/md5" //nolint:gosec // as in the format
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kpl"
)

// goldenHashKey is the middle of the second of eight buckets.
const goldenHashKey = "63802943797675961899382738893456539648"

// golden are the user records of every file in testdata.
func golden() []kpl.UserRecord {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return []kpl.UserRecord{
		{Key: "driver-1", Data: []byte("one")},
		{Key: "driver-2", HashKey: "0", Sub: 1, Data: []byte("two")},
		{Key: "driver-1", HashKey: "340282366920938463463374607431768211455", Sub: 2, Data: all},
		{Key: "conductora-ñ-7", Sub: 3, Data: bytes.Repeat([]byte("x"), 300)},
	}
}

// What AWS's modules for Python and Java write is read (testdata/golden.py, Golden.java).
// Where the producer names no hash key, Java's writes the partition key's.
func TestAWSsRecordsAreRead(t *testing.T) {
	java := golden()
	for i, u := range java {
		sum := md5.Sum([]byte(u.Key)) //nolint:gosec // Kinesis' own
		java[i].HashKey = cmp.Or(u.HashKey, new(big.Int).SetBytes(sum[:]).String())
	}

	for name, want := range map[string][]kpl.UserRecord{"python.bin": golden(), "java.bin": java} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		got, err := kpl.Deaggregate(data, "outer")
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
}

// What those two read is what is written: they read tandem.bin, when they wrote theirs.
func TestWhatAWSsModulesReadIsWritten(t *testing.T) {
	agg := kpl.NewAggregate(goldenHashKey, 1<<20)
	for _, u := range golden() {
		require.True(t, agg.Add(u.Key, u.Data))
	}
	got, err := agg.Encode()
	require.NoError(t, err)

	want, err := os.ReadFile(filepath.Join("testdata", "tandem.bin"))
	require.NoError(t, err)
	require.Equal(t, want, got)
}
