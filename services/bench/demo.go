package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/demo/runfile"
	"tandem/services/internal/postgres"
)

const (
	// demoDrivers are enough that no ride waits for a car: at 20 rides a second some 130
	// have an offer or a rider who is about to cancel.
	demoDrivers = 400
	// demoWorkers hold 5 requests each until a driver has accepted, some 4 s. So they
	// take 50 rides a second, which is more than two cores do.
	demoWorkers = 40
	// readyWithin is for the demo to start and for its first rides to end.
	readyWithin = 5 * time.Minute
	stopWithin  = time.Minute
)

// demo is a running `tandem demo` without riders.
type demo struct {
	runfile.Run
	dir     string
	drivers int
	pool    *pgxpool.Pool
}

// startDemo starts binary's demo on a folder of its own and waits until its drivers
// are on duty and free. stop ends it and deletes its data; where the start fails, its
// output is kept and named.
func startDemo(ctx context.Context, binary string, drivers, workers int) (d demo, stop func() error, err error) {
	if binary, err = filepath.Abs(binary); err != nil {
		return d, nil, err
	}
	if _, err := os.Stat(binary); err != nil {
		return d, nil, fmt.Errorf("there is no program to measure: make build: %w", err)
	}

	// Postgres' user must be able to reach it, so it does not lie in /tmp.
	cache, err := runfile.CacheDir()
	if err != nil {
		return d, nil, err
	}
	if err := runfile.MakeDir(cache); err != nil {
		return d, nil, err
	}
	dir := filepath.Join(cache, fmt.Sprintf("bench-demo-%d", os.Getpid()))
	output, err := os.Create(dir + ".log")
	if err != nil {
		return d, nil, err
	}
	defer func() { _ = output.Close() }()

	cmd := exec.Command(binary, "demo", "--data", dir, "--addr", "127.0.0.1:0", "--riders", "0", "--cancel-share", "1",
		"--drivers", fmt.Sprint(drivers), "--workers", fmt.Sprint(workers))
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return d, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	d.dir, d.drivers = dir, drivers
	if err := d.awaitReady(ctx, dir, ended); err != nil {
		return d, nil, fmt.Errorf("%w; its output is %s", errors.Join(err, d.end(cmd, ended), os.RemoveAll(dir)), output.Name())
	}
	return d, func() error {
		return errors.Join(d.end(cmd, ended), os.RemoveAll(dir), os.Remove(output.Name()))
	}, nil
}

// end asks the demo to end, which ends its processes, and waits for it.
func (d *demo) end(cmd *exec.Cmd, ended <-chan error) error {
	if d.pool != nil {
		d.pool.Close()
	}
	_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended by itself
	select {
	case err := <-ended:
		return err
	case <-time.After(stopWithin):
		return fmt.Errorf("the demo did not end within %v; it is process %d", stopWithin, cmd.Process.Pid)
	}
}

// awaitReady waits until the drivers are on duty and the rides that the simulator
// begins with are over.
func (d *demo) awaitReady(ctx context.Context, dir string, ended chan error) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()

	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		ready, err := d.ready(ctx, dir)
		if ready {
			return nil
		}

		select {
		case exit := <-ended:
			ended <- exit // for end
			return fmt.Errorf("the demo ended before it was ready: %w", errors.Join(exit, err))
		case <-ctx.Done():
			return fmt.Errorf("the demo was not ready within %v: %w", readyWithin, errors.Join(ctx.Err(), err))
		case <-look.C:
		}
	}
}

func (d *demo) ready(ctx context.Context, dir string) (ready bool, err error) {
	if d.pool == nil {
		if d.Run, err = runfile.Read(dir); err != nil {
			return false, err
		}
		if d.pool, err = postgres.Open(ctx, d.DatabaseURL, postgres.PoolOptions{App: "bench"}); err != nil {
			return false, err
		}
	}

	// The simulator begins with a ride for almost a third of the drivers, two or three a
	// second: they are over when none is open and none has come for a while.
	err = d.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM ride.drivers WHERE on_duty) >= $1
		AND (SELECT max(requested_at) FROM ride.rides) < now() - interval '5 s'
		AND NOT EXISTS (SELECT FROM ride.rides WHERE wake_at IS NOT NULL)`, d.drivers*9/10).Scan(&ready)
	return ready, err
}
