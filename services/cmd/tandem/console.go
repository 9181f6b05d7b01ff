package main

import (
	"context"
	"fmt"
	"strings"

	"tandem/services/console"
	"tandem/services/internal/lifecycle"
)

type consoleCmd struct {
	serving
	database
	messaging
	signing
	BookingURL string   `required:"" help:"Base URL of booking."`
	Peers      []string `help:"The processes to ask for their status, as name=url; name-*=url asks every address of the host."`
	// Hidden: nobody but the demo, whose processes they are, has a use for it.
	KillWorkers bool   `hidden:"" help:"Let an admin kill the dispatch worker that holds a ride's message."`
	WorkersFile string `hidden:"" help:"The file that names the dispatch workers that run at the moment, and says why as many."`
}

func (c consoleCmd) Run(ctx context.Context) error {
	signer, err := c.signer()
	if err != nil {
		return err
	}

	cfg := console.Config{DatabaseURL: c.DatabaseURL, Auth: signer, AWS: c.aws(), BookingURL: c.BookingURL, KillWorkers: c.KillWorkers, WorkersFile: c.WorkersFile}
	for _, p := range c.Peers {
		name, url, ok := strings.Cut(p, "=")
		if !ok {
			return fmt.Errorf("--peers takes name=url, not %q", p)
		}
		cfg.Peers = append(cfg.Peers, console.Peer{Name: name, URL: url})
	}

	return c.serve(ctx, "console", func(ctx context.Context, env lifecycle.Env) error {
		return console.Run(ctx, env, cfg)
	})
}
