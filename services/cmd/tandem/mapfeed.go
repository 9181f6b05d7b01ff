package main

import (
	"context"

	"tandem/services/internal/lifecycle"
	"tandem/services/mapfeed"
)

type mapfeedCmd struct {
	serving
	messaging
	signing
	timing
	DatabaseURL string `help:"Postgres, for the leases of fan-out consumers: postgres://user:password@host:5432/name. Without it the stream is polled."`
	BookingURL  string `required:"" help:"Base URL of booking."`
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
