package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tandem/services/demo/runfile"
	"tandem/services/internal/ledger"
	"tandem/services/tools/feed"
)

type feedCmd struct {
	running
	File string `arg:"" help:"Points or trips as text (CSV and its kin, GPX, GeoJSON; may be gzip); - is the standard input."`
	understanding
	Speedup     float64 `help:"How many recorded seconds are sent in a second; 0: as fast as they are accepted."`
	DryRun      bool    `help:"Say how the file is understood and what would be refused; send nothing."`
	Limit       int     `help:"Send at most so many points or trips, the earliest; 0: all."`
	Resume      bool    `help:"Continue where the last feed of this file stopped."`
	Drivers     int     `default:"200" help:"For trips: how many drivers feed adds, near the recorded pick-ups."`
	Speed       float64 `default:"4" help:"For trips: how many times as fast as the street allows they drive."`
	GatewayURL  string  `help:"Base URL of a gateway (default: the running demo's)."`
	OperatorKey string  `help:"The operator key of that gateway."`
	JSON        bool    `name:"json" help:"Print the summary as JSON."`
	Ledger      string  `type:"path" help:"Write every promise to this file of JSON lines, for audit (default: beside the running demo's ledger)."`
	Quiet       bool    `help:"Print no progress line."`
}

// understanding has the flags for what feed cannot find out.
type understanding struct {
	Map        map[string]string `mapsep:"," help:"Name columns, such as driver=taxi,time=when,lat=y,lon=x."`
	Columns    []string          `help:"The columns of a file without a header, such as driver,time,-,lat,lon."`
	Driver     string            `help:"Whose points they are (default: the driver's column, or the file's name)."`
	TimeZone   string            `default:"UTC" help:"Zone of times without an offset, such as America/Montevideo."`
	From       string            `help:"Only what was recorded from then on: a day or a time, such as 2008-06-01 or 2008-06-01 12:00."`
	To         string            `help:"Only what was recorded before then."`
	TimeFormat string            `help:"How times are written: Go's layout (02/01/2006 15:04), or s, ms, us, ns, excel."`
}

func (u understanding) reading() (feed.Reading, error) {
	zone, err := time.LoadLocation(u.TimeZone)
	if err != nil {
		return feed.Reading{}, fmt.Errorf("--time-zone: %w", err)
	}
	r := feed.Reading{Map: u.Map, Columns: u.Columns, Driver: u.Driver, Zone: zone, TimeFormat: u.TimeFormat}
	if r.From, err = optionalTime("--from", u.From, zone); err != nil {
		return feed.Reading{}, err
	}
	if r.To, err = optionalTime("--to", u.To, zone); err != nil {
		return feed.Reading{}, err
	}
	if !r.To.IsZero() && !r.From.Before(r.To) {
		return feed.Reading{}, errors.New("--from is not before --to")
	}
	return r, nil
}

// optionalTime reads a flag's time; empty is the zero time.
func optionalTime(flag, text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := feed.ParseTime(text, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", flag, err)
	}
	return t, nil
}

func (c feedCmd) Run(ctx context.Context) error {
	reading, err := c.reading()
	if err != nil {
		return err
	}
	if c.GatewayURL == "" && !c.DryRun {
		run, err := c.find()
		if err != nil {
			return err
		}
		c.GatewayURL, c.OperatorKey = run.Gateway, run.OperatorKey

		// A file of its own, since two processes that append to one would tear each
		// other's lines. Audit reads all that are there.
		if c.Ledger == "" && run.Ledger != "" {
			c.Ledger = ledger.Beside(run.Ledger, fmt.Sprintf("feed-%d", os.Getpid()))
		}
	}

	// How far each file was sent is kept in the cache folder, for --resume.
	cache, err := runfile.CacheDir()
	if err != nil {
		return err
	}
	state := filepath.Join(cache, "feed")
	if err := runfile.MakeDir(state); err != nil {
		return fmt.Errorf("feed: %w", err)
	}

	_, err = feed.Run(ctx, os.Stdout, feed.Config{
		GatewayURL: c.GatewayURL, OperatorKey: c.OperatorKey, File: c.File, Reading: reading, DryRun: c.DryRun, Limit: c.Limit, Speedup: c.Speedup, Resume: c.Resume,
		StateDir: state, LedgerPath: c.Ledger, Drivers: c.Drivers, Speed: c.Speed, JSON: c.JSON, Quiet: c.Quiet,
	})
	return err
}
