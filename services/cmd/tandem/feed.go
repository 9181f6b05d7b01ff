package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tandem/services/demo/runfile"
	"tandem/services/tools/feed"
)

type feedCmd struct {
	running
	File        string  `arg:"" type:"existingfile" help:"GPS traces, trips (known by their header), or plain CSV: driver,time,lat,lon."`
	Speedup     float64 `help:"Recorded seconds a second; 0: as fast as accepted."`
	Resume      bool    `help:"Go on where the last feed of this file stopped."`
	Drivers     int     `default:"200" help:"For trips: drivers of feed's own, where the recorded pick-ups are."`
	Speed       float64 `default:"4" help:"For trips: how much faster than the street allows they drive."`
	GatewayURL  string  `help:"Base URL of a gateway (default: the running demo's)."`
	OperatorKey string  `help:"Its operator key."`
	JSON        bool    `name:"json" help:"The summary as JSON."`
	Quiet       bool    `help:"No progress line."`
}

func (c feedCmd) Run(ctx context.Context) error {
	if c.GatewayURL == "" {
		run, err := c.find()
		if err != nil {
			return err
		}
		c.GatewayURL, c.OperatorKey = run.Gateway, run.OperatorKey
	}
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
		StateDir: state, Drivers: c.Drivers, Speed: c.Speed, JSON: c.JSON, Quiet: c.Quiet,
	})
	return err
}
