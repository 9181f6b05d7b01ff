package booking

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/singleflight"

	"tandem/services/domain/city"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queuemetrics"
	"tandem/services/internal/retention"
)

// Config is what booking needs.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
	// NearbyURL is the base URL of nearby, which is asked where a driver is who says
	// that it is at the pick-up; empty: that is believed.
	NearbyURL string
}

type service struct {
	rides    *ride.Store
	listener *ride.Listener
	city     *city.City
	log      *slog.Logger
	counts   counts
	sqs      *sqs.Client
	whereIs  whereIs // nil: nobody can say

	demands singleflight.Group // of demand, by the span's start
}

// Run serves, relays and sweeps until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	if err := postgres.CheckVersion(ctx, cfg.DatabaseURL, ride.Schemas()...); err != nil {
		return err
	}

	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: "booking", MaxConns: 16, LeaseTime: cfg.Profile.Lease})
	if err != nil {
		return err
	}
	defer pool.Close()

	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}
	streets, err := city.Load()
	if err != nil {
		return err
	}

	s := &service{rides: ride.NewStore(pool, cfg.Profile).Traced(env.Traces), listener: ride.NewListener(pool, env.Log), city: streets, log: env.Log, sqs: sqs.NewFromConfig(awsCfg)}

	if cfg.NearbyURL != "" {
		s.whereIs = askNearby(httpclient.ForService(cfg.NearbyURL, cfg.Auth, "booking"))
	}

	// Every change of a ride is a wake: its transaction may have added outbox rows.
	wake := s.listener.Any()
	defer wake.Close()
	relay, err := outbox.NewRelay(outbox.Options{
		Pool: pool, Client: s.sqs, Box: ride.Outbox(), Log: env.Log, Queues: []string{event.QueueRideRequests, event.QueueNotifications},
		// SendWithin lies below half of the pool's idle_in_transaction_session_timeout,
		// which would bound it otherwise.
		Wake: wake.C, OnSent: ride.TraceSent(env.Traces), SendWithin: cfg.Profile.Lease / 3,
	})
	if err != nil {
		return err
	}
	queuemetrics.Outbox(env.Metrics, func(ctx context.Context) (outbox.Stats, error) { return ride.Outbox().Stats(ctx, pool) })

	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "booking", Env: env, Auth: cfg.Auth, Routes: s.routes(), Status: s.status,
				Ready: []httpserver.Check{{Name: "database", Run: pool.Ping}, {Name: "outbox relay", Run: relay.Ready}},
			})
		}},
		lifecycle.Task{Name: "listener", Run: s.listener.Run},
		lifecycle.Task{Name: "relay", Run: relay.Run},
		lifecycle.Task{Name: "retention", Run: func(ctx context.Context) error {
			return retention.Run(ctx, retention.Options{What: "rides", Keep: cfg.Profile.KeepFor, Log: env.Log, Metrics: env.Metrics, Delete: s.rides.RemoveEnded})
		}},
		lifecycle.Task{Name: "sweeper", Run: func(ctx context.Context) error { return s.sweepEvery(ctx, cfg.Profile.SweepEvery) }},
	)
}

func (s *service) sweepEvery(ctx context.Context, period time.Duration) error {
	tick := time.NewTicker(period)
	defer tick.Stop()

	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}

		swept, err := s.rides.Sweep(ctx, s.requestsHeld)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("the sweep failed; the next one looks again", "err", err)
		}

		// What was swept before an error counts all the same.
		if swept.Requeued+swept.Closed > 0 {
			s.log.Info("moved rides that nothing else had moved", "sent_again", swept.Requeued, "closed", swept.Closed)
		}
		for _, id := range swept.Stuck {
			s.log.Error("a ride was picked up and never dropped off; end it with POST /v1/rides/{id}/end", "ride_id", id)
		}
	}
}

// requestsHeld returns how many ride requests are on the queue: visible, delayed and
// in flight. SQS's numbers are approximate for about a minute after a change; the
// sweeper asks about requests that are older.
func (s *service) requestsHeld(ctx context.Context) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	url, err := s.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueRideRequests)})
	if err != nil {
		return 0, err
	}
	out, err := s.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		return 0, err
	}

	for _, text := range out.Attributes {
		some, err := strconv.Atoi(text)
		if err != nil {
			return 0, err
		}
		n += some
	}
	return n, nil
}

// counts keeps the last count for a moment: counting reads every ride, and several
// pages ask for the status at once.
type counts struct {
	mu   sync.Mutex
	last *ride.Counts // nil: never counted
}

const countsFor = time.Second

// status is the detail of GET /v1/status: nil until rides have been counted once.
// Where they cannot be counted it is the last count, with its age.
func (s *service) status() any {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	if s.counts.last != nil && time.Since(s.counts.last.At) < countsFor {
		return s.counts.last
	}

	// Below the time that the console waits, so that it hears what is known.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := s.rides.Counts(ctx)
	if err != nil {
		s.log.Warn("rides cannot be counted", "err", err)
	} else {
		s.counts.last = &c
	}

	// A nil pointer in an interface would not be nil.
	if s.counts.last == nil {
		return nil
	}
	return s.counts.last
}
