package main

import (
	"context"
	"fmt"
	"time"

	"tandem/services/internal/lifecycle"
	"tandem/services/simulator"
)

type simulatorCmd struct {
	serving
	signing
	spending
	Backend     string  `default:"emulator" enum:"emulator,localstack,aws" help:"What Tandem runs on; aws needs --yes-this-costs-money."`
	GatewayURL  string  `required:"" help:"Base URL of the gateway."`
	OperatorKey string  `required:"" help:"The gateway's operator key."`
	Drivers     int     `default:"200" help:"Simulated drivers."`
	Riders      float64 `default:"20" help:"Simulated bookings a minute."`
	rush
	Speed  float64       `default:"4" help:"How many times as fast as the street allows cars drive."`
	Seed   uint64        `default:"1" help:"The same seed produces the same trips."`
	For    time.Duration `help:"How long riders request rides; 0: until stopped."`
	Drain  time.Duration `default:"2m" help:"How long rides under way may take to end after --for."`
	Ledger string        `type:"path" help:"Write every promise to this file of JSON lines."`
	Report string        `type:"path" help:"Write what was measured to this JSON file."`
}

// rush are the flags of a time in which more riders come.
type rush struct {
	RushRiders  float64       `help:"Simulated bookings a minute during the rush."`
	RushAfter   time.Duration `default:"1m" help:"When the rush begins."`
	RushFor     time.Duration `help:"How long the rush is; 0: there is none."`
	CancelShare float64       `help:"The share of riders who cancel once a driver has accepted, so that drivers are soon free again: 0 to 1."`
}

func (r rush) load() simulator.Rush {
	return simulator.Rush{After: r.RushAfter, For: r.RushFor, RidersPerMinute: r.RushRiders}
}

// args are the flags again, for the simulator that the demo starts.
func (r rush) args() []string {
	return []string{
		"--rush-riders", fmt.Sprint(r.RushRiders), "--rush-after", r.RushAfter.String(), "--rush-for", r.RushFor.String(),
		"--cancel-share", fmt.Sprint(r.CancelShare),
	}
}

func (c simulatorCmd) Run(ctx context.Context) error {
	if err := c.allow(c.Backend, c.Drivers, max(c.Riders, c.RushRiders)); err != nil {
		return err
	}

	signer, err := c.signer()
	if err != nil {
		return err
	}

	return c.serve(ctx, "simulator", func(ctx context.Context, env lifecycle.Env) error {
		return simulator.Run(ctx, env, simulator.Config{
			GatewayURL: c.GatewayURL, OperatorKey: c.OperatorKey, Auth: signer, Drivers: c.Drivers, RidersPerMinute: c.Riders, Rush: c.load(), CancelShare: c.CancelShare,
			Speed: c.Speed, Seed: c.Seed, For: c.For, DrainFor: c.Drain, LedgerPath: c.Ledger, ReportPath: c.Report,
		})
	})
}
