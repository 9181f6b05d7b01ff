package demo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFolderIsOneDemosAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	first, err := openFolder(dir, false)
	require.NoError(t, err)
	_, err = openFolder(dir, false)
	require.ErrorContains(t, err, "another demo runs")
	require.NoError(t, first.close())
	again, err := openFolder(dir, false)
	require.NoError(t, err, "the lock was given back")
	require.NoError(t, again.close())
}

func TestFolderOfAnotherVersionIsExplained(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	f, err := openFolder(dir, false)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(f.path("version"), []byte("0\n"), 0o600))
	require.NoError(t, f.close())
	_, err = openFolder(dir, false)
	require.ErrorContains(t, err, "--fresh")

	f, err = openFolder(dir, true)
	require.NoError(t, err, "--fresh forgets it")
	require.NoError(t, f.close())
}

func TestKeysStay(t *testing.T) {
	f, err := openFolder(filepath.Join(t.TempDir(), "demo"), false)
	require.NoError(t, err)
	first, err := f.key("signing-key")
	require.NoError(t, err)
	second, err := f.key("signing-key")
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.NoError(t, f.close())
}

// A process gets what its row names and nothing else.
func TestEnvironmentIsWhatTheRowNames(t *testing.T) {
	settings := map[string]string{"DATABASE_URL": "postgres://secret", "AWS_ENDPOINT": "http://aws", "SIGNING_KEY": "k", "PROFILE": "fast"}
	rows := table(Options{Workers: 2}, "data", "ledger", "report")
	location := rows[slices.IndexFunc(rows, func(r row) bool { return r.name == "location" })]
	env, err := location.environ(systemEnviron([]string{"PATH=/bin", "AWS_SECRET_ACCESS_KEY=mine", "TANDEM_X=1"}), settings)
	require.NoError(t, err)
	all := strings.Join(env, "\n")
	require.Contains(t, all, "TANDEM_AWS_ENDPOINT=http://aws")
	require.Contains(t, all, "PATH=/bin")
	for _, absent := range []string{"secret", "mine", "TANDEM_X"} {
		require.NotContains(t, all, absent)
	}
	_, err = row{name: "x", needs: "NOWHERE"}.environ(nil, settings)
	require.ErrorContains(t, err, "NOWHERE")
}

func TestTableHasEveryWorker(t *testing.T) {
	var workers []string
	for _, r := range table(Options{Workers: 3}, "", "", "") {
		if r.role == "dispatch" {
			workers = append(workers, r.name)
		}
	}
	require.Equal(t, []string{"dispatch-1", "dispatch-2", "dispatch-3"}, workers)
}

func TestScreenWritesPlainLines(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out)
	s.title()
	s.part("postgres", "1.1 s")
	s.part("emulator", "")
	s.links("http://127.0.0.1:8080")
	s.status(" 14 rides/min")
	s.status(" not again within five seconds")
	require.Equal(t, []string{
		"Tandem   no AWS account, no token, nothing leaves this machine    Ctrl-C ends everything",
		" postgres ✓ 1.1 s   emulator ✓",
		" Map, book a ride      http://127.0.0.1:8080/",
		" Queue and stream      http://127.0.0.1:8080/admin",
		" In another terminal   ./bin/tandem audit     ./bin/tandem feed FILE",
		" 14 rides/min",
	}, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"))
}

func TestUsageCountsAProcessAndItsChildren(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skip("no /proc here: the report says 0")
	}
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	alone := usageOf("/proc", map[int]bool{cmd.Process.Pid: true})
	both := usageOf("/proc", map[int]bool{os.Getpid(): true})
	require.Positive(t, alone.memoryMB, strconv.Itoa(cmd.Process.Pid))
	require.Greater(t, both.memoryMB, alone.memoryMB)
}
