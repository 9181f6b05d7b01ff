package runfile_test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
)

func TestReadGivesWhatWasWritten(t *testing.T) {
	dir := t.TempDir()
	_, err := runfile.Read(dir)
	require.ErrorIs(t, err, runfile.ErrNotRunning)

	want := runfile.Run{Version: "1", PID: os.Getpid(), Gateway: "http://127.0.0.1:8080", Processes: []runfile.Process{
		{Name: "dispatch-1", Role: "dispatch", PID: 7, URL: "http://127.0.0.1:1"},
		{Name: "dispatch-2", Role: "dispatch", PID: 8, URL: "http://127.0.0.1:2"},
	}}
	require.NoError(t, runfile.Write(dir, want))
	got, err := runfile.Read(dir)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, "http://127.0.0.1:1", got.URL("dispatch"))

	info, err := os.Stat(filepath.Join(dir, runfile.Name))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds keys")

	require.NoError(t, runfile.Remove(dir))
	require.NoError(t, runfile.Remove(dir), "twice is fine")
}

func TestFileOfAKilledDemoIsNotRunning(t *testing.T) {
	gone := exec.Command("true")
	require.NoError(t, gone.Run())
	dir := t.TempDir()
	require.NoError(t, runfile.Write(dir, runfile.Run{PID: gone.Process.Pid}))
	_, err := runfile.Read(dir)
	require.ErrorIs(t, err, runfile.ErrNotRunning)
}

func TestMakeDirRefusesALink(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, runfile.MakeDir(filepath.Join(dir, "tandem", "demo")))
	require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(dir, "link")))
	require.ErrorContains(t, runfile.MakeDir(filepath.Join(dir, "link")), "--data")
}

// The user that Postgres runs as for root must pass through the cache folder, whoever
// made it first and under whatever umask.
func TestMakeDirLetsOthersPassWhateverTheUmask(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("root's cache folder is one for the machine: only the folder in it is looked at")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	cache, err := runfile.CacheDir()
	require.NoError(t, err)

	before := syscall.Umask(0o077)
	dir := filepath.Join(cache, "test-"+rand.Text())
	t.Cleanup(func() { _ = os.Remove(dir) })
	err = runfile.MakeDir(dir)
	syscall.Umask(before)
	require.NoError(t, err)

	for _, d := range []string{cache, dir} {
		info, err := os.Stat(d)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o711), info.Mode().Perm(), d)
	}
}

func TestMakeDirLeavesAFolderThatIsClosedAsItIs(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed")
	require.NoError(t, os.Mkdir(closed, 0o700))
	require.NoError(t, runfile.MakeDir(closed))
	require.NoError(t, runfile.MakeDir(filepath.Join(closed, "demo")))

	info, err := os.Stat(closed)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}
