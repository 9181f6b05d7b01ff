package main

import (
	"context"
	"fmt"
	"os"

	"tandem/services/booking"
	"tandem/services/dispatch"
	"tandem/services/domain/profile"
	"tandem/services/internal/lifecycle"
	"tandem/services/notification"
)

// The services of the queue's side: booking fills the queues, dispatch and
// notification work on them.

type bookingCmd struct {
	serving
	database
	messaging
	signing
	timing
	NearbyURL string `help:"Base URL of nearby, which says where a driver is who arrives at a pick-up; empty: the driver is believed."`
}

func (c bookingCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}

	return c.serve(ctx, "booking", func(ctx context.Context, env lifecycle.Env) error {
		return booking.Run(ctx, env, booking.Config{
			DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof, NearbyURL: c.NearbyURL,
		})
	})
}

type dispatchCmd struct {
	serving
	database
	messaging
	signing
	timing
	Worker    string `help:"This worker's name (default: dispatch- and the host's name, which differs between containers)."`
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

type notificationCmd struct {
	serving
	database
	messaging
	signing
	timing
	SMSPerSecond float64 `name:"sms-per-second" default:"10" help:"Texts that this process sends a second at most, codes included."`
}

func (c notificationCmd) Run(ctx context.Context) error {
	signer, prof, err := c.keys(c.timing)
	if err != nil {
		return err
	}

	return c.serve(ctx, "notification", func(ctx context.Context, env lifecycle.Env) error {
		return notification.Run(ctx, env, notification.Config{
			DatabaseURL: c.DatabaseURL, AWS: c.aws(), Auth: signer, Profile: prof,
			TextsPerSecond: c.SMSPerSecond, Lab: c.Backend != profile.AWS,
		})
	})
}
