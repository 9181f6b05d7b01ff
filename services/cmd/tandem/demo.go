package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tandem/services/demo"
	"tandem/services/demo/runfile"
	"tandem/services/domain/profile"
	"tandem/services/internal/postgres"
)

type demoCmd struct {
	Addr      string   `default:"127.0.0.1:8080" help:"Address of the gateway, for the browser."`
	AllowHost []string `placeholder:"NAME" help:"Names under which the gateway may be asked, besides loopback's and its own address."`
	Drivers   int      `default:"200" help:"Simulated drivers."`
	Riders    float64  `default:"20" help:"Simulated bookings a minute."`
	rush
	Speed       float64       `default:"4" help:"How many times as fast as the street allows cars drive. It changes no time-out."`
	Seed        uint64        `default:"1" help:"The same seed produces the same trips."`
	Workers     workerRange   `default:"2..6" help:"Dispatch workers: as many as the queue needs within these, or one number that stays."`
	For         time.Duration `help:"After this long, let the rides under way end, audit, report and end."`
	Report      string        `type:"path" help:"Write what was measured to this JSON file."`
	HungAfter   time.Duration `default:"30s" help:"Kill, and so restart, a process that answers nothing for so long; 0: never, to look at one under kill -STOP."`
	Fresh       bool          `help:"Empty the data folder first."`
	Data        string        `type:"path" help:"Data folder (default: in the user's cache folder)."`
	Profile     string        `default:"default" enum:"default,fast" help:"Time-outs: default, or fast for tests."`
	DatabaseURL string        `env:"TANDEM_DATABASE_URL,DATABASE_URL" help:"Use this Postgres instead of a private one."`
	Backend     string        `default:"emulator" enum:"emulator,localstack,aws" env:"TANDEM_BACKEND,BACKEND" help:"emulator (part of the demo), localstack (one that runs already) or aws."`
	AWSEndpoint string        `name:"aws-endpoint" env:"TANDEM_AWS_ENDPOINT,AWS_ENDPOINT" help:"Where LocalStack is (default: http://127.0.0.1:4566)."`
	AWSRegion   string        `name:"aws-region" help:"AWS region; empty is the SDK's default."`
	With        []string      `enum:"speeding" placeholder:"READER" help:"Start this reader as well: speeding."`
	Faults      bool          `help:"Let the emulator's /_aws/faults cause failures on purpose."`
	tracing
	demoLogin
	spending
}

// workerRange is a flag's value: 2..6, or 3.
type workerRange demo.Range

// UnmarshalText is called by kong.
func (r *workerRange) UnmarshalText(text []byte) error {
	least, most, ranged := strings.Cut(string(text), "..")
	if !ranged {
		most = least
	}

	var errs [2]error
	r.Min, errs[0] = strconv.Atoi(least)
	r.Max, errs[1] = strconv.Atoi(most)
	if errors.Join(errs[:]...) != nil || r.Min < 0 || r.Max < r.Min {
		return fmt.Errorf("%q is neither a number of workers nor a range such as 2..6", text)
	}
	return nil
}

// where returns the AWS that the flags name. The emulator's endpoint is not known
// before it listens, so demo.Run fills it in.
func (c demoCmd) where() messaging {
	m := messaging{Backend: c.Backend, AWSRegion: c.AWSRegion}
	if c.Backend == profile.LocalStack {
		m.AWSEndpoint = cmp.Or(c.AWSEndpoint, "http://127.0.0.1:4566")
	}
	return m
}

// Validate is called by kong before the command runs.
func (c demoCmd) Validate() error {
	if c.Faults && c.Backend != profile.Emulator {
		return fmt.Errorf("only the emulator has --faults, and the backend is %s", c.Backend)
	}
	return nil
}

func (c demoCmd) Run(ctx context.Context) error {
	if err := c.allow(c.Backend, c.Drivers, max(c.Riders, c.RushRiders)); err != nil {
		return err
	}

	where := c.where()
	if c.Data == "" {
		dir, err := runfile.DefaultDir(c.Backend)
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
		Version: version, Self: self, Command: typed(self), Environ: os.Environ(), Out: os.Stdout,
		Addr: c.Addr, AllowHost: c.AllowHost, DemoLoginOffLoopback: c.OffLoopback, Drivers: c.Drivers, Riders: c.Riders, SimulatorArgs: c.args(), Speed: c.Speed, Seed: c.Seed, Workers: demo.Range(c.Workers),
		For: c.For, Report: c.Report, HungAfter: c.HungAfter, Fresh: c.Fresh, Data: c.Data, Profile: c.Profile, DatabaseURL: c.DatabaseURL,
		Backend: c.Backend, AWSEndpoint: where.AWSEndpoint, AWSRegion: c.AWSRegion, Faults: c.Faults, With: c.With, OTLPEndpoint: c.OTLPEndpoint, TraceRatio: c.TraceRatio,
		Deploy:  func(ctx context.Context) error { return deployMissing(ctx, where) },
		Migrate: func(ctx context.Context, url string) error { return postgres.Migrate(ctx, url, schemas()...) },
		Audit:   auditDemo(c.Profile),
	})

	if err == nil && !ok {
		// The screen has shown the audit's verdict; the exit code is for scripts.
		return exitCode(1)
	}
	return err
}

// typed returns how a person calls the program self from where this process was
// started.
func typed(self string) string {
	here, err := os.Getwd()
	if err != nil {
		return self
	}
	rel, err := filepath.Rel(here, self)
	if err != nil || !filepath.IsLocal(rel) {
		return self
	}
	return "." + string(filepath.Separator) + rel
}
