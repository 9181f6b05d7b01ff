package main

import (
	"context"

	"tandem/services/domain/city"
	"tandem/services/gateway"
	"tandem/services/internal/lifecycle"
	"tandem/web"
)

type gatewayCmd struct {
	serving
	database
	signing
	DemoLogin   bool   `help:"Let anybody become an operator by one click. Off loopback it needs --demo-login-off-loopback too."`
	OperatorKey string `help:"Whoever sends this key gets tokens of any role; if empty, nobody does."`
	demoLogin
	TrustedProxies  []string `placeholder:"NETWORK" help:"Networks of the proxies before it, such as 10.0.0.0/8: their X-Forwarded-For is believed. Clients behind any other proxy share that proxy's address, and what one address may have."`
	MaxPerAddress   int      `default:"300" help:"How many requests, streams and sockets of one client address may be under way; 0: any number."`
	BookingURL      string   `required:"" help:"Base URL of booking."`
	LocationURL     string   `required:"" help:"Base URL of location."`
	MapfeedURL      string   `required:"" help:"Base URL of mapfeed."`
	HistoryURL      string   `required:"" help:"Base URL of history."`
	HeatmapURL      string   `required:"" help:"Base URL of heatmap."`
	NotificationURL string   `required:"" help:"Base URL of notification."`
	ConsoleURL      string   `required:"" help:"Base URL of console."`
	CompareURL      string   `required:"" help:"Base URL of compare."`
}

func (c gatewayCmd) Run(ctx context.Context) error {
	signer, err := c.signer()
	if err != nil {
		return err
	}

	return c.serve(ctx, "gateway", func(ctx context.Context, env lifecycle.Env) error {
		return gateway.Run(ctx, env, gateway.Config{
			DatabaseURL: c.DatabaseURL, Auth: signer, OperatorKey: c.OperatorKey, DemoLogin: c.DemoLogin, DemoLoginOffLoopback: c.OffLoopback,
			TrustedProxies: c.TrustedProxies, MaxPerAddress: c.MaxPerAddress,
			BookingURL: c.BookingURL, LocationURL: c.LocationURL, MapfeedURL: c.MapfeedURL, HistoryURL: c.HistoryURL,
			HeatmapURL: c.HeatmapURL, NotificationURL: c.NotificationURL, ConsoleURL: c.ConsoleURL, CompareURL: c.CompareURL,
			App: web.App(), City: city.Files(),
		})
	})
}
