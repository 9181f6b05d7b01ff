package main

import (
	"context"

	"tandem/services/internal/lifecycle"
	"tandem/services/notification"
)

type notificationCmd struct {
	serving
	database
	messaging
	signing
	timing
}

func (c notificationCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}
	return c.serve(ctx, "notification", func(ctx context.Context, env lifecycle.Env) error {
		return notification.Run(ctx, env, notification.Config{DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof})
	})
}
