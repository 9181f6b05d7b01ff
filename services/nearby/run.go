package nearby

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/stream/shardreader"
)

// Config is what nearby needs.
type Config struct {
	DatabaseURL string // with it, and a Backend that has fan-out, the stream need not be polled
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
	Backend     profile.Backend
}

type service struct {
	index    *index
	follower *points.Live
}

// Run reads the stream and serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}
	s := &service{index: newIndex()}
	client := kinesis.NewFromConfig(awsCfg)
	o := points.LiveOptions{
		Name: "nearby", Client: client, Stream: event.Stream, Back: silentAfter,
		PollEvery: 2 * cfg.Profile.PollEvery, Log: env.Log, Apply: s.index.apply,
		DatabaseURL: cfg.DatabaseURL, Lease: cfg.Profile.Lease,
	}
	if cfg.Backend.FanOut {
		o.FanOut = shardreader.FanOutOf(client)
	}
	s.follower = points.NewLive(o)
	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "reader", Run: s.follower.Run},
		lifecycle.Task{Name: "forget", Run: func(ctx context.Context) error { return s.index.forgetEvery(ctx, silentAfter/6) }},
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "nearby", Env: env, Auth: cfg.Auth, Routes: s.routes(), Status: s.status,
				Ready: []httpserver.Check{{Name: "caught up", Run: s.follower.Ready}},
			})
		}},
	)
}

type detail struct {
	points.Detail
	Drivers int `json:"drivers"`
}

func (s *service) status() any { return detail{s.follower.Detail(), s.index.size()} }
