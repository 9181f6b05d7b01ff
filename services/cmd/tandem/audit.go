package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"tandem/services/demo"
	"tandem/services/demo/runfile"
	"tandem/services/domain/profile"
	"tandem/services/tools/audit"
)

type auditCmd struct {
	running
	messaging
	timing
	DatabaseURL string        `help:"Postgres to audit (default: the running demo's)."`
	Ledger      string        `type:"path" help:"File with what clients were promised (default: the running demo's ledger)."`
	NoStream    bool          `help:"Do not read the stream."`
	AllowGaps   bool          `help:"Pass even if a reader declared a gap."`
	AtRest      bool          `help:"On the emulator, with nothing under way: require that the queues are empty."`
	Wait        time.Duration `default:"30s" help:"How long to wait until the readers reach the moment at which the audit began."`
	JSON        bool          `name:"json" help:"Print the report as JSON."`
}

// Validate replaces messaging's: a running demo's run file says where its AWS is,
// so the flags are needed only for another database.
func (c auditCmd) Validate() error {
	if c.DatabaseURL == "" {
		return nil
	}
	return c.messaging.Validate()
}

func (c auditCmd) Run(ctx context.Context) error {
	prof, err := profile.ByName(c.Profile)
	if err != nil {
		return err
	}

	cfg := audit.Config{
		DatabaseURL: c.DatabaseURL, AWS: c.aws(), Profile: prof, LedgerPath: c.Ledger,
		NoStream: c.NoStream, AllowGaps: c.AllowGaps, AtRest: c.AtRest, Wait: c.Wait,
	}

	if cfg.DatabaseURL == "" {
		run, err := c.find()
		if err != nil {
			return err
		}

		cfg.DatabaseURL, cfg.AWS = run.DatabaseURL, awsOf(run)
		if cfg.LedgerPath == "" {
			cfg.LedgerPath = run.Ledger
		}
	}

	report, err := audit.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if err := report.Print(os.Stdout, c.JSON); err != nil {
		return fmt.Errorf("audit: %w", err)
	}

	if !report.OK {
		// The report says which check failed; the exit code is for scripts.
		return exitCode(1)
	}
	return nil
}

// auditDemo returns a function that audits a demo at rest, for its report.
func auditDemo(profileName string) func(context.Context, runfile.Run) (demo.Audit, error) {
	return func(ctx context.Context, run runfile.Run) (demo.Audit, error) {
		prof, err := profile.ByName(profileName)
		if err != nil {
			return demo.Audit{}, err
		}

		r, err := audit.Run(ctx, audit.Config{
			DatabaseURL: run.DatabaseURL, AWS: awsOf(run), Profile: prof,
			LedgerPath: run.Ledger, Wait: time.Minute,
		})
		if err != nil {
			return demo.Audit{}, err
		}

		a := demo.Audit{OK: r.OK, Checks: r.Checks}
		a.Counts.Rides = demo.RideCounts{
			Requested: r.Count("rides", "requested"), Assigned: r.Count("rides", "assigned"), Completed: r.Count("rides", "completed"),
			Unfulfilled: r.Count("rides", "unfulfilled"), Cancelled: r.Count("rides", "cancelled"), Lost: r.Count("rides", "lost"),
		}

		a.Counts.Points = demo.PointCounts{
			Accepted: r.Count("points", "accepted"), Stored: r.Count("points", "stored"), Lost: r.Count("points", "lost"),
			Duplicated: r.Count("points", "duplicated"), OutOfOrder: r.Count("order", "out_of_order") + r.Count("order", "not_rising"),
		}

		return a, nil
	}
}
