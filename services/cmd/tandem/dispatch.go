package main

import (
	"context"
	"fmt"
	"os"

	"tandem/services/dispatch"
	"tandem/services/internal/lifecycle"
)

type dispatchCmd struct {
	serving
	database
	messaging
	signing
	timing
	Worker    string `help:"This worker's name (default: dispatch- and the host's name, which in a container is its own)."`
	NearbyURL string `required:"" help:"Base URL of nearby."`
}

func (c dispatchCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	if c.Worker == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("this worker has no name (%w); give it one with --worker", err)
		}
		c.Worker = "dispatch-" + host
	}
	return c.serve(ctx, c.Worker, func(ctx context.Context, env lifecycle.Env) error {
		return dispatch.Run(ctx, env, dispatch.Config{
			DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof, Worker: c.Worker, NearbyURL: c.NearbyURL,
		})
	})
}
