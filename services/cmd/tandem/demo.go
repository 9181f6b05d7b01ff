package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"tandem/services/cmd/tandem/demo"
	"tandem/services/internal/postgres"
	"tandem/services/internal/runfile"
)

type demoCmd struct {
	Addr        string        `default:"127.0.0.1:8080" help:"Where the browser finds Tandem."`
	Drivers     int           `default:"200" help:"Simulated drivers."`
	Riders      float64       `default:"20" help:"Simulated bookings a minute."`
	Speed       float64       `default:"4" help:"How much faster than the street allows cars move. Changes no time-out."`
	Seed        uint64        `default:"1" help:"The same seed gives the same trips."`
	Workers     int           `default:"2" help:"Dispatch workers."`
	For         time.Duration `help:"End after this long: finish rides under way, audit, report."`
	Report      string        `type:"path" help:"Write what was measured to this JSON file."`
	Fresh       bool          `help:"Forget the data folder first."`
	Data        string        `type:"path" help:"Data folder (default: in the user's cache folder)."`
	Profile     string        `default:"default" enum:"default,fast" help:"Time-outs: default, or fast for tests."`
	DatabaseURL string        `env:"TANDEM_DATABASE_URL,DATABASE_URL" help:"A Postgres to use instead of a private one."`
}

func (c demoCmd) Run(ctx context.Context) error {
	if c.Data == "" {
		dir, err := runfile.DefaultDir()
		if err != nil {
			return err
		}
		c.Data = dir
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	ok, err := demo.Run(ctx, demo.Options{
		Version: version, Self: self, Environ: os.Environ(), Out: os.Stdout,
		Addr: c.Addr, Drivers: c.Drivers, Riders: c.Riders, Speed: c.Speed, Seed: c.Seed, Workers: c.Workers,
		For: c.For, Report: c.Report, Fresh: c.Fresh, Data: c.Data, Profile: c.Profile, DatabaseURL: c.DatabaseURL,
		Migrate: func(ctx context.Context, url string) error { return postgres.Migrate(ctx, url, schemas()...) },
		Audit:   auditDemo(c.Profile),
	})
	if err == nil && !ok {
		return exitCode(1)
	}
	return err
}
