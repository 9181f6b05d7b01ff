package runfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
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
