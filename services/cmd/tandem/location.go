package main

import (
	"context"

	"tandem/services/internal/lifecycle"
	"tandem/services/location"
)

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
