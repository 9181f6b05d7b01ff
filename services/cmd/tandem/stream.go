package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"tandem/services/compare"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/lifecycle"
	"tandem/services/location"
	"tandem/services/mapfeed"
	"tandem/services/nearby"
	"tandem/services/speeding"
)

// The services of the stream's side: location writes the stream, the other ones
// read it.

type locationCmd struct {
	serving
	messaging
	signing
	timing
}

func (c locationCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	backend, err := c.backend()
	if err != nil {
		return err
	}

	return c.serve(ctx, "location", func(ctx context.Context, env lifecycle.Env) error {
		return location.Run(ctx, env, location.Config{AWS: c.aws(), Backend: backend, Auth: signer, Profile: prof})
	})
}

// leases is for a reader that needs the database for nothing but its lease on a
// fan-out consumer, and can do without.
type leases struct {
	DatabaseURL string `help:"Postgres, for the leases of fan-out consumers: postgres://user:password@host:5432/name. Without it the stream is polled."`
}

type nearbyCmd struct {
	serving
	messaging
	signing
	timing
	leases
}

func (c nearbyCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	backend, err := c.backend()
	if err != nil {
		return err
	}

	return c.serve(ctx, "nearby", func(ctx context.Context, env lifecycle.Env) error {
		return nearby.Run(ctx, env, nearby.Config{DatabaseURL: c.DatabaseURL, AWS: c.aws(), Backend: backend, Auth: signer, Profile: prof})
	})
}

type mapfeedCmd struct {
	serving
	messaging
	signing
	timing
	leases
	BookingURL string `required:"" help:"Base URL of booking."`
}

func (c mapfeedCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	backend, err := c.backend()
	if err != nil {
		return err
	}

	return c.serve(ctx, "mapfeed", func(ctx context.Context, env lifecycle.Env) error {
		return mapfeed.Run(ctx, env, mapfeed.Config{
			DatabaseURL: c.DatabaseURL, AWS: c.aws(), Backend: backend, Auth: signer, Profile: prof, BookingURL: c.BookingURL,
		})
	})
}

type historyCmd struct {
	serving
	database
	messaging
	signing
	timing
	catchUp
	BookingURL string        `required:"" help:"Base URL of booking, which says who may see a ride's track."`
	Keep       time.Duration `default:"168h" env:"TANDEM_HISTORY_KEEP" help:"How long a point is kept, counted from its arrival; at least 72h."`
}

func (c historyCmd) Validate() error {
	if c.Keep < history.LeastKeep {
		return fmt.Errorf("--keep is %v: the least is %v", c.Keep, history.LeastKeep)
	}
	return c.messaging.Validate()
}

func (c historyCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}

	return c.serve(ctx, "history", func(ctx context.Context, env lifecycle.Env) error {
		return history.Run(ctx, env, history.Config{DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof, CatchUpBytes: c.CatchUpBytes, BookingURL: c.BookingURL, Keep: c.Keep})
	})
}

type heatmapCmd struct {
	serving
	database
	messaging
	signing
	timing
	catchUp
}

func (c heatmapCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}

	return c.serve(ctx, "heatmap", func(ctx context.Context, env lifecycle.Env) error {
		return heatmap.Run(ctx, env, heatmap.Config{DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof, CatchUpBytes: c.CatchUpBytes})
	})
}

type speedingCmd struct {
	serving
	database
	messaging
	signing
	timing
	Over float64 `default:"60" help:"The limit in km/h; a driver who was faster is kept."`
}

func (c speedingCmd) Validate() error {
	if !(c.Over >= 0) || math.IsInf(c.Over, 0) { // the first is true of NaN, too
		return fmt.Errorf("--over is %v: it is a number of km/h, 0 or more", c.Over)
	}
	return c.messaging.Validate()
}

func (c speedingCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}

	return c.serve(ctx, "speeding", func(ctx context.Context, env lifecycle.Env) error {
		return speeding.Run(ctx, env, speeding.Config{DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof, Over: c.Over})
	})
}

type compareCmd struct {
	serving
	messaging
	signing
	timing
}

func (c compareCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}

	return c.serve(ctx, "compare", func(ctx context.Context, env lifecycle.Env) error {
		return compare.Run(ctx, env, compare.Config{AWS: c.aws(), Auth: signer, Profile: prof})
	})
}
