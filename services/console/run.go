package console

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	oldrows "tandem/services/internal/retention"
	"tandem/services/tools/deadletter"
	"tandem/services/tools/reader"
)

const serviceName = "console" // it asks the others as this subject

// Config is what the console needs.
type Config struct {
	// DatabaseURL is where rides, outbox, the readers' checkpoints and what people did are.
	DatabaseURL string

	Auth       *auth.Signer
	AWS        awsclient.Config
	BookingURL string
	Peers      []Peer
	// Queues are the names to look at; empty: ride-requests, notifications.fifo
	// and their dead-letter queues.
	Queues []string
	// StreamRetention is how long the stream keeps a record; 0: 24 hours.
	StreamRetention time.Duration
	// KillWorkers lets an admin kill the worker that holds a ride's message. Only the
	// demo sets it: there a worker's pid is one of this machine, and it is started again.
	KillWorkers bool
	// WorkersFile names the workers that come and go (see workersfile); empty: none do.
	WorkersFile string

	log *slog.Logger // set by Run
}

type service struct {
	cfg     Config
	gather  *gatherer
	summary *summaries
	booking *httpclient.Client
	log     *slog.Logger
	inside  *inside
	region  string // AWS's, for who looks at the same with AWS's own tools
	kills   kills
	dead    *deadletter.Tool
	readers *reader.Tool
}

// Run serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	if len(cfg.Queues) == 0 {
		cfg.Queues = []string{event.QueueRideRequests, event.QueueRideRequestsDead, event.QueueNotifications, event.QueueNotificationsDead}
	}

	cfg.log = env.Log
	cfg.StreamRetention = cmp.Or(cfg.StreamRetention, 24*time.Hour)

	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}

	dead, done, err := deadletter.Open(ctx, deadletter.Config{DatabaseURL: cfg.DatabaseURL, AWS: cfg.AWS, Log: env.Log})
	if err != nil {
		return err
	}
	defer done()
	readers, done, err := reader.Open(ctx, cfg.DatabaseURL, cfg.AWS, env.Log)
	if err != nil {
		return err
	}
	defer done()

	gather := newGatherer(cfg, sqs.NewFromConfig(awsCfg), cfg.Auth)
	env.Metrics.MustRegister(newMetrics(gather.overview))
	s := &service{
		cfg:     cfg,
		gather:  gather,
		summary: newSummaries(gather, newRetention(kinesis.NewFromConfig(awsCfg), time.Now)),
		booking: httpclient.ForService(cfg.BookingURL, cfg.Auth, serviceName),
		log:     env.Log,
		inside:  newInside(cfg.AWS.Endpoint),
		region:  awsCfg.Region,
		dead:    dead,
		readers: readers,
	}

	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{Name: serviceName, Env: env, Auth: cfg.Auth, Routes: s.routes()})
		}},
		// As long as rides, which they are about.
		lifecycle.Task{Name: "retention", Run: func(ctx context.Context) error {
			return oldrows.Run(ctx, oldrows.Options{What: "acts", Keep: profile.Default().KeepFor, Log: env.Log, Metrics: env.Metrics, Delete: dead.RemoveOldActs})
		}})
}
