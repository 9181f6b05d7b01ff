package journal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// failing is a disk that writes only so many bytes at a time, and may refuse to
// sync and to truncate.
type failing struct {
	*os.File
	room               int
	noSync, noTruncate bool
}

var errFull = errors.New("no space left")

func (d *failing) WriteAt(b []byte, at int64) (int, error) {
	if len(b) <= d.room {
		return d.File.WriteAt(b, at)
	}
	n, _ := d.File.WriteAt(b[:d.room], at)
	return n, errFull
}

func (d *failing) Sync() error {
	if d.noSync {
		return errFull
	}
	return d.File.Sync()
}

func (d *failing) Truncate(n int64) error {
	if d.noTruncate {
		return errFull
	}
	return d.File.Truncate(n)
}

// A write that failed leaves nothing, however it failed: the frames of the next
// ones are the only ones that reopen.
func TestAFailedWriteLeavesNothing(t *testing.T) {
	for name, fault := range map[string]failing{
		"half a frame": {room: 7}, "a frame and a half": {room: 20}, "no fsync": {room: 1 << 20, noSync: true},
		"no truncate": {room: 20, noTruncate: true}, "no fsync, no truncate": {room: 1 << 20, noSync: true, noTruncate: true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "j")
			f, err := Open(path, true, func(int64, []byte) error { return nil })
			require.NoError(t, err)
			require.NoError(t, f.Append([]byte("first")))

			d := fault
			d.File = f.f
			f.disk = &d
			require.ErrorIs(t, f.Append([]byte("denied"), []byte("denied")), errFull)
			require.ErrorIs(t, f.Append([]byte("denied"), []byte("denied")), errFull)

			f.disk = f.f // the disk works again
			require.NoError(t, f.Append([]byte("x")))
			require.NoError(t, f.Close())
			var got [][]byte
			f, err = Open(path, true, func(_ int64, p []byte) error { got = append(got, bytes.Clone(p)); return nil })
			require.NoError(t, err)
			require.Equal(t, "first,x", string(bytes.Join(got, []byte(","))))
			require.NoError(t, f.Close())
		})
	}
}

// broken is a file that can no longer be read.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// A disk that cannot be read is not the end of the file: what was acknowledged
// would be cut off because of it.
func TestADiskThatCannotBeReadIsNoTornWrite(t *testing.T) {
	frame := AppendFrame(nil, []byte("payload"))
	for _, n := range []int{3, 10} {
		_, err := ReadFrame(bytes.NewReader(frame[:n]), nil)
		require.ErrorIs(t, err, errTorn)

		_, err = ReadFrame(io.MultiReader(bytes.NewReader(frame[:n]), broken{errFull}), nil)
		require.ErrorIs(t, err, errFull)
	}
}
