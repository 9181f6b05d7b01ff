package main

import (
	"context"

	"tandem/services/heatmap"
	"tandem/services/internal/lifecycle"
)

type heatmapCmd struct {
	serving
	database
	messaging
	signing
	timing
}

func (c heatmapCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	return c.serve(ctx, "heatmap", func(ctx context.Context, env lifecycle.Env) error {
		return heatmap.Run(ctx, env, heatmap.Config{DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof})
	})
}
