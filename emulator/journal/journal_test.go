package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/emulator/journal"
)

func reopen(t require.TestingT, path string) (out [][]byte, f *journal.File) {
	f, err := journal.Open(path, false, func(_ int64, p []byte) error { out = append(out, bytes.Clone(p)); return nil })
	require.NoError(t, err)
	return out, f
}

const head = len("TANDEM-JOURNAL-2\n")

// written creates a file of payloads and returns its bytes.
func written(t require.TestingT, path string, payloads [][]byte) []byte {
	_, f := reopen(t, path)
	for _, p := range payloads {
		require.NoError(t, f.Append(p))
	}
	require.NoError(t, f.Close())

	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return raw
}

// requirePrefix reopens raw, requires a prefix of want, and appends to it. It
// returns how many frames there were, and what was cut off.
func requirePrefix(t require.TestingT, path string, raw []byte, want [][]byte) (n int, lost journal.Loss) {
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	got, f := reopen(t, path)
	require.LessOrEqual(t, len(got), len(want))
	for i, p := range got {
		require.True(t, bytes.Equal(want[i], p))
	}

	lost = f.Lost()
	require.Equal(t, int64(len(raw)), max(f.Size(), int64(head))+lost.Bytes-int64(max(0, head-len(raw))))
	require.NoError(t, f.Append([]byte("more")))
	require.NoError(t, f.Close())

	again, f := reopen(t, path)
	require.Len(t, again, len(got)+1)
	require.NoError(t, f.Close())
	return len(got), lost
}

// The file is cut at every byte: a longer part has at least as many frames, and a
// torn end is no damage.
func TestCutAtEveryByteAPrefixReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	want := [][]byte{[]byte("one"), {}, []byte("three"), {0, 255}}
	raw, whole := written(t, path, want), 0
	for at := range len(raw) + 1 {
		n, lost := requirePrefix(t, path, raw[:at], want)
		require.GreaterOrEqual(t, n, whole)
		require.False(t, lost.Damaged)

		whole = n
	}
	require.Equal(t, len(want), whole)
}

// Every bit behind the header is flipped: all before the bad frame reopens.
func TestEveryBitFlippedAPrefixReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	want := [][]byte{[]byte("one"), {}, {0, 255}}
	raw, end := written(t, path, want), head
	for i, p := range want {
		for bit := range 8 * int(journal.FrameSize(len(p))) {
			changed := bytes.Clone(raw)
			changed[end+bit/8] ^= 1 << (bit % 8)
			n, lost := requirePrefix(t, path, changed, want)
			require.Equal(t, i, n)
			require.Equal(t, int64(end), lost.At)
		}

		end += int(journal.FrameSize(len(p)))
	}
}

// Whatever was written, and wherever it is cut or changed, a prefix reopens.
func TestWhatReopensIsAPrefix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 40), 1, 12).Draw(t, "payloads")
		require.NoError(t, os.RemoveAll(path))

		raw := written(t, path, want)
		requirePrefix(t, path, raw[:rapid.IntRange(0, len(raw)).Draw(t, "cut")], want)
		raw[rapid.IntRange(head, len(raw)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		requirePrefix(t, path, raw, want)
	})
}

func TestDamageIsToldFromATornEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	want := [][]byte{[]byte("one"), []byte("two"), []byte("three")}
	raw := written(t, path, want)
	raw[head+8] ^= 1 // in "one"
	n, lost := requirePrefix(t, path, raw, want)
	require.Zero(t, n)
	require.Equal(t, journal.Loss{At: int64(head), Bytes: int64(len(raw) - head), Damaged: true}, lost)

	kept, err := os.ReadFile(path + ".damaged")
	require.NoError(t, err)
	require.Equal(t, raw[head:], kept, "a person can still look at it")
}

func TestZerosAreNoFrames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	want := [][]byte{[]byte("one")}
	raw := append(written(t, path, want), make([]byte, 4096)...)
	n, lost := requirePrefix(t, path, raw, want)
	require.Equal(t, 1, n)
	require.Equal(t, int64(4096), lost.Bytes)
	require.False(t, lost.Damaged)
}

func TestAnotherFormatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	for _, text := range []string{"something else entirely", "TANDEM-JOURNAL-1\n", "TANDEM-X"} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := journal.Open(path, false, func(int64, []byte) error { return nil })
		require.ErrorIs(t, err, journal.ErrFormat)

		left, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(left), "nothing is touched")
	}
}

// What is appended while the shorter file is written is in it.
func TestCompactionMissesNothing(t *testing.T) {
	for _, fsync := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "j")
		f, err := journal.Open(path, fsync, func(int64, []byte) error { return nil })
		require.NoError(t, err)

		for range 100 {
			require.NoError(t, f.Append([]byte("old")))
		}
		c, err := f.StartCompaction()
		require.NoError(t, err)
		require.NoError(t, f.Append([]byte("1"), []byte("2")))
		require.NoError(t, c.Append([]byte("a"), []byte("b")))

		copied, err := c.CatchUp(f, f.Size())
		require.NoError(t, err)
		require.Equal(t, 2*journal.FrameSize(1), copied)
		require.NoError(t, f.Append([]byte("3")))
		require.NoError(t, c.Finish(f))
		require.NoError(t, f.Append([]byte("4")))
		require.NoError(t, f.Close())

		got, f := reopen(t, path)
		require.Equal(t, "ab1234", string(bytes.Join(got, nil)))
		require.NoError(t, f.Close())
	}
}

func TestAnAbandonedCompactionChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	raw := written(t, path, [][]byte{[]byte("a")})
	_, f := reopen(t, path)
	c, err := f.StartCompaction()
	require.NoError(t, err)
	require.NoError(t, c.Append([]byte("b")))
	require.NoError(t, c.Abandon())
	require.NoError(t, f.Close())

	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, raw, left)
	require.NoFileExists(t, path+".new")
}

// FuzzReadFrame reads any bytes: it does not panic, and what is read as a frame
// would be written like that.
func FuzzReadFrame(f *testing.F) {
	f.Add(journal.AppendFrame(nil, []byte("hello")))
	f.Add(journal.AppendFrame(journal.AppendFrame(nil, nil), []byte{0}))
	f.Add([]byte{255, 255, 255, 1, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, rest := bytes.NewReader(b), b

		for {
			p, err := journal.ReadFrame(r, nil)
			if err != nil {
				return
			}

			again := journal.AppendFrame(nil, p)
			require.Equal(t, rest[:len(again)], again)
			rest = rest[len(again):]
		}
	})
}

// BenchmarkOpen opens a million frames of 200 bytes.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "j")
	_, f := reopen(b, path)
	payload := bytes.Repeat([]byte("x"), 200)
	batch := make([][]byte, 1000)

	for i := range batch {
		batch[i] = payload
	}
	for range 1000 {
		require.NoError(b, f.Append(batch...))
	}
	require.NoError(b, f.Close())

	for b.Loop() {
		n := 0
		f, err := journal.Open(path, false, func(int64, []byte) error { n++; return nil })
		require.NoError(b, err)
		require.Equal(b, 1_000_000, n)
		require.NoError(b, f.Close())
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, fsync := range []bool{false, true} {
		b.Run(fmt.Sprint("fsync=", fsync), func(b *testing.B) {
			f, err := journal.Open(filepath.Join(b.TempDir(), "j"), fsync, func(int64, []byte) error { return nil })
			require.NoError(b, err)

			payload := bytes.Repeat([]byte("x"), 200)
			for b.Loop() {
				require.NoError(b, f.Append(payload))
			}
			require.NoError(b, f.Close())
		})
	}
}
