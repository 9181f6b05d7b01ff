package main

import (
	"context"

	"tandem/services/history"
	"tandem/services/internal/lifecycle"
)

type historyCmd struct {
	serving
	database
	messaging
	signing
	timing
}

func (c historyCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	return c.serve(ctx, "history", func(ctx context.Context, env lifecycle.Env) error {
		return history.Run(ctx, env, history.Config{DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof})
	})
}
