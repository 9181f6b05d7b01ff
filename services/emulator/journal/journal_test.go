package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/emulator/journal"
)

func reopen(t require.TestingT, path string) (out [][]byte, f *journal.File) {
	f, err := journal.Open(path, false, func(_ int64, p []byte) error { out = append(out, bytes.Clone(p)); return nil })
	require.NoError(t, err)
	return out, f
}

// Wherever the file is cut and whatever bits are flipped, what reopens is a
// prefix of what was acknowledged, and the file can be written on.
func TestWhatReopensIsAPrefix(t *testing.T) {
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		path := filepath.Join(dir, fmt.Sprint(round))
		_, f := reopen(t, path)
		written := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 40), 1, 12).Draw(t, "payloads")
		for _, p := range written {
			require.NoError(t, f.Append(p))
		}
		require.NoError(t, f.Close())
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		head := len("TANDEM-JOURNAL-1\n")
		if rapid.Bool().Draw(t, "cut") {
			raw = raw[:rapid.IntRange(0, len(raw)).Draw(t, "at")]
		} else {
			raw[rapid.IntRange(head, len(raw)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		require.NoError(t, os.WriteFile(path, raw, 0o600))
		got, f := reopen(t, path)
		require.LessOrEqual(t, len(got), len(written))
		for i, p := range got {
			require.True(t, bytes.Equal(written[i], p))
		}
		require.NoError(t, f.Append([]byte("more")))
		require.NoError(t, f.Close())
		again, f := reopen(t, path)
		require.Len(t, again, len(got)+1)
		require.NoError(t, f.Close())
	})
}

func TestRewriteReplacesAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	_, f := reopen(t, path)
	for range 100 {
		require.NoError(t, f.Append([]byte("old")))
	}
	require.NoError(t, f.Rewrite([][]byte{[]byte("a"), []byte("b")}))
	require.NoError(t, f.Append([]byte("c")))
	require.NoError(t, f.Close())
	got, f := reopen(t, path)
	require.Equal(t, [][]byte{[]byte("a"), []byte("b"), []byte("c")}, got)
	require.NoError(t, f.Close())
}

func TestAnotherFormatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	require.NoError(t, os.WriteFile(path, []byte("something else entirely"), 0o600))
	_, err := journal.Open(path, false, func(int64, []byte) error { return nil })
	require.ErrorIs(t, err, journal.ErrFormat)
}

func FuzzReadFrame(f *testing.F) {
	f.Add(journal.AppendFrame(nil, []byte("hello")))
	f.Fuzz(func(_ *testing.T, b []byte) {
		r := bytes.NewReader(b)
		for {
			if _, err := journal.ReadFrame(r, nil); err != nil {
				return
			}
		}
	})
}
