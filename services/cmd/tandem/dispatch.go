package main

import (
	"context"

	"tandem/services/dispatch"
	"tandem/services/internal/lifecycle"
)

type dispatchCmd struct {
	serving
	database
	messaging
	signing
	timing
	Worker    string `default:"dispatch" help:"This worker's name."`
	NearbyURL string `required:"" help:"Base URL of nearby."`
}

func (c dispatchCmd) Run(ctx context.Context) error {
	keeper, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	return c.serve(ctx, c.Worker, func(ctx context.Context, env lifecycle.Env) error {
		return dispatch.Run(ctx, env, dispatch.Config{
			DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: keeper, Profile: prof, Worker: c.Worker, NearbyURL: c.NearbyURL,
		})
	})
}
