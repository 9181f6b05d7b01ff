package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"tandem/services/domain/profile"
	"tandem/services/internal/queue/autoscale"
	"tandem/services/tools/scaling"
)

type autoscaleCmd struct {
	Watch    watchCmd    `cmd:"" help:"Print how many workers the queue wants, why, and the command: for docker compose, where nobody scales."`
	Record   recordCmd   `cmd:"" help:"Look at a Tandem that runs for a while, and plot backlog, workers and waiting time."`
	Simulate simulateCmd `cmd:"" help:"Simulate a day of ride requests under the same policy, and plot it."`
}

// live are the flags by which a tool finds the Tandem that it looks at.
type live struct {
	running
	GatewayURL  string        `help:"Base URL of a gateway (default: the running demo's)."`
	OperatorKey string        `help:"The operator key of that gateway."`
	Every       time.Duration `default:"5s" help:"The time between two looks."`
}

func (l live) tandem() (scaling.Live, error) {
	if l.Every <= 0 {
		return scaling.Live{}, errors.New("--every must be more than 0")
	}
	if l.GatewayURL == "" {
		run, err := l.find()
		if err != nil {
			return scaling.Live{}, err
		}
		l.GatewayURL, l.OperatorKey = run.Gateway, run.OperatorKey
	}
	if l.OperatorKey == "" {
		return scaling.Live{}, errors.New("--operator-key is missing: it is that gateway's TANDEM_OPERATOR_KEY, which docker compose has in .env")
	}
	return scaling.Live{GatewayURL: l.GatewayURL, OperatorKey: l.OperatorKey, Every: l.Every}, nil
}

// policy are the flags of what the workers are held to; the rest is the profile's.
type policy struct {
	Min     int           `default:"2" help:"The fewest workers."`
	Max     int           `default:"6" help:"The most workers."`
	Latency time.Duration `default:"10s" help:"How long a request may wait for a worker."`
}

func (p policy) policy() (autoscale.Policy, error) {
	out := profile.Default().Workers
	out.Min, out.Max, out.Latency = p.Min, p.Max, p.Latency
	return out, out.Check()
}

type watchCmd struct {
	live
	policy
}

func (c watchCmd) Run(ctx context.Context) error {
	p, err := c.policy.policy()
	if err != nil {
		return err
	}
	where, err := c.tandem()
	if err != nil {
		return err
	}
	return scaling.Watch(ctx, os.Stdout, where, p)
}

type recordCmd struct {
	live
	For   time.Duration `default:"6m" help:"How long to look."`
	SVG   string        `name:"svg" type:"path" required:"" help:"The picture's file."`
	Title string        `default:"Tandem, recorded" help:"The picture's title."`
}

func (c recordCmd) Run(ctx context.Context) error {
	where, err := c.tandem()
	if err != nil {
		return err
	}
	// Asked before it looks: a recording that cannot be drawn would be lost.
	if err := writable(c.SVG); err != nil {
		return err
	}

	_, _ = fmt.Fprintf(os.Stderr, "looks every %s for %s; Ctrl-C ends it sooner, and draws what there is\n", c.Every, c.For)
	points, err := scaling.Record(ctx, where, c.For)
	if err != nil {
		return err
	}

	fmt.Println(scaling.Sum(points))
	return draw(c.SVG, c.Title, points)
}

type simulateCmd struct {
	policy
	Seed uint64 `default:"1" help:"The same seed makes the same day."`
	Step bool   `help:"In place of a day: eight minutes with a step from 0.5 to 5 requests a second and back."`
	SVG  string `name:"svg" type:"path" help:"The picture's file; empty: numbers alone."`
}

func (c simulateCmd) Run() error {
	p, err := c.policy.policy()
	if err != nil {
		return err
	}

	title, simulate := "A day, simulated", scaling.Day
	if c.Step {
		title, simulate = "A step from 0.5 to 5 requests a second and back, simulated", scaling.Step
	}
	r := simulate(c.Seed, p)
	fmt.Println(r)
	if c.SVG == "" {
		return nil
	}
	return draw(c.SVG, title, r.Points)
}

// draw writes the picture to a file.
func draw(path, title string, points []scaling.Point) error {
	if err := toFile(path, func(w io.Writer) error { return scaling.WriteSVG(w, title, points) }); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stderr, "drawn in", path)
	return nil
}

// writable reports why nothing can be written to a file. What it has stays.
func writable(path string) error {
	_, missing := os.Stat(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	if missing != nil {
		defer func() { _ = os.Remove(path) }()
	}
	return f.Close()
}

func toFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
