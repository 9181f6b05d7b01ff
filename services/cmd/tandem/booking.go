package main

import (
	"context"

	"tandem/services/booking"
	"tandem/services/internal/lifecycle"
)

type bookingCmd struct {
	serving
	database
	messaging
	signing
	timing
}

func (c bookingCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	return c.serve(ctx, "booking", func(ctx context.Context, env lifecycle.Env) error {
		return booking.Run(ctx, env, booking.Config{DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof})
	})
}
