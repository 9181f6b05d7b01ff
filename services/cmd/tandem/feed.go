package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tandem/services/demo/runfile"
	"tandem/services/internal/ledger"
	"tandem/services/tools/feed"
)

type feedCmd struct {
	running
	File        string  `arg:"" type:"existingfile" help:"GPS traces, trips (recognized by their header), or plain CSV: driver,time,lat,lon."`
	Speedup     float64 `help:"How many recorded seconds are sent in a second; 0: as fast as they are accepted."`
	Resume      bool    `help:"Continue where the last feed of this file stopped."`
	Drivers     int     `default:"200" help:"For trips: how many drivers feed adds, near the recorded pick-ups."`
	Speed       float64 `default:"4" help:"For trips: how many times as fast as the street allows they drive."`
	GatewayURL  string  `help:"Base URL of a gateway (default: the running demo's)."`
	OperatorKey string  `help:"The operator key of that gateway."`
	JSON        bool    `name:"json" help:"Print the summary as JSON."`
	Ledger      string  `type:"path" help:"Write every promise to this file of JSON lines, for audit (default: beside the running demo's ledger)."`
	Quiet       bool    `help:"Print no progress line."`
}

func (c feedCmd) Run(ctx context.Context) error {
	if c.GatewayURL == "" {
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
	if err := os.MkdirAll(state, 0o700); err != nil {
		return fmt.Errorf("feed: %w", err)
	}

	_, err = feed.Run(ctx, os.Stdout, feed.Config{
		GatewayURL: c.GatewayURL, OperatorKey: c.OperatorKey, File: c.File, Speedup: c.Speedup, Resume: c.Resume,
		StateDir: state, LedgerPath: c.Ledger, Drivers: c.Drivers, Speed: c.Speed, JSON: c.JSON, Quiet: c.Quiet,
	})
	return err
}
