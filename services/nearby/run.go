package nearby

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/stream/shardreader"
)

const name = "nearby" // of the service, its reader and its fan-out consumers

// Config is what nearby needs.
type Config struct {
	DatabaseURL string // with it, and a Backend that has fan-out, the stream need not be polled
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
	Backend     profile.Backend
}

// Run reads the stream and serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}
	client := kinesis.NewFromConfig(awsCfg)

	// Begin far enough back to know every driver that is not silent.
	x := newIndex()
	o := points.LiveOptions{
		Name: name, Client: client, Back: silentAfter,
		PollEvery: 2 * cfg.Profile.PollEvery, Log: env.Log, Traces: env.Traces, Apply: x.apply,
		DatabaseURL: cfg.DatabaseURL, Lease: cfg.Profile.Lease,
	}
	if cfg.Backend.FanOut {
		o.FanOut = shardreader.FanOutOf(client)
	}

	live, err := points.NewLive(o)
	if err != nil {
		return err
	}
	x.through = live.Through
	return live.Serve(ctx, httpserver.Options{
		Name: name, Env: env, Auth: cfg.Auth, Routes: routes(x),
		Status: func() any { return detail{live.Detail(), x.size()} },
	}, lifecycle.Task{Name: "forget", Run: x.keepForgetting})
}

type detail struct {
	points.Detail
	Drivers int `json:"drivers"`
}
