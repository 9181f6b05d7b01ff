package location

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/streamcheck"
	"tandem/services/internal/telemetry"
)

// Config is what location needs.
type Config struct {
	AWS     awsclient.Config
	Auth    *auth.Signer
	Profile profile.Profile
	Backend profile.Backend
}

// tracedOneIn is how many batches of points there are for each that is traced.
const tracedOneIn = 1000

// Run serves until ctx ends, then sends the points that still wait.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}
	client := kinesis.NewFromConfig(awsCfg)

	// A stream of more shards than buckets would leave some of them empty.
	stats, metrics := newStats(), newMetrics(env.Metrics, cfg.Backend.Buckets.Count())
	check, err := streamcheck.New(streamcheck.Options{
		Client: client, Stream: event.Stream, MaxShards: cfg.Backend.Buckets.Count(), Log: env.Log, Report: metrics.shards,
	})
	if err != nil {
		return err
	}
	report := func(s kinesisproducer.Stored) {
		metrics.stored(s)
		if stats.report(s.Shard, s.UserRecords, s.Bytes) {
			check.Recheck() // the stream may have been resharded, to more shards than it may have
		}
	}

	p, err := kinesisproducer.New(kinesisproducer.Options{
		Client: client, Stream: event.Stream, Buckets: cfg.Backend.Buckets, Log: env.Log,
		Linger: max(cfg.Profile.Linger, cfg.Backend.MinLinger), Spacing: cfg.Backend.MinLinger, Report: report, Failed: metrics.failed, Trace: telemetry.Recorded,
	})
	if err != nil {
		return err
	}
	s := &service{stream: p, putWithin: cfg.Profile.PutWithin, now: time.Now, memory: newMemory(), stats: stats}

	producing, stopProducing := outlasting(ctx)
	defer stopProducing()

	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			defer stopProducing()
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "location", Env: env, Auth: cfg.Auth, Routes: s.routes(), Status: stats.detail,
				Ready: []httpserver.Check{{Name: "stream", Run: check.Ready}, {Name: "puts", Run: p.Ready}},
			})
		}},
		lifecycle.Task{Name: "stream check", Run: check.Run},
		lifecycle.Task{Name: "producer", Run: func(context.Context) error { return p.Run(producing, sendRest) }},
	)
}

// sendRest is how long the producer has for what still waits once HTTP has ended.
const sendRest = lifecycle.DrainTimeout / 4

// outlasting returns the producer's context. It ends after HTTP, by stop, since
// requests under way wait for the producer; but at the latest so that HTTP and
// producer together take DrainTimeout, when this process is killed.
func outlasting(ctx context.Context) (producing context.Context, stop context.CancelFunc) {
	producing, stop = context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		t := time.NewTimer(lifecycle.DrainTimeout - sendRest)
		defer t.Stop()
		select {
		case <-t.C:
			stop()
		case <-producing.Done():
		}
	})
	return producing, stop
}
