// Command withpostgres runs a command beside a private Postgres:
//
//	go run ./services/test/withpostgres go test ./...
//
// The command finds the server's address in TANDEM_TEST_DATABASE_URL. Nothing on
// the server is worth keeping, so it does not wait for the disk.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"tandem/services/demo/pgserver"
	"tandem/services/demo/runfile"
	"tandem/services/test/testenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "withpostgres:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, command []string) (code int, err error) {
	if len(command) == 0 {
		return 0, errors.New("name a command to run")
	}

	cache, err := runfile.CacheDir()
	if err != nil {
		return 0, err
	}
	if err := runfile.MakeDir(cache); err != nil {
		return 0, err
	}

	dir := filepath.Join(cache, fmt.Sprintf("test-%d", os.Getpid()))
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	starting, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	server, err := testenv.StartPostgres(starting, pgserver.Options{
		Dir: dir, Cache: cache, Say: func(line string) { fmt.Println(line) },
		Settings: []string{"fsync=off", "full_page_writes=off", "max_connections=400", "shared_buffers=128MB"},
	})
	if err != nil {
		return 0, err
	}
	defer server.Stop()

	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), testenv.DatabaseURLVar+"="+server.URL())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// The command may have children of its own to end, so it is asked first.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }

	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}
