package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

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
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/internal/queuemetrics"
	"tandem/services/internal/telemetry"
)

// Config is what the service needs.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
	NearbyURL   string
	Worker      string // its name in ride events; empty: dispatch-<pid>
}

// A worker that is told to stop has drain until its handlers are cut off, and of
// this time an open offer may use offerGrace.
const (
	offerGrace = 3 * time.Second
	drain      = 6 * time.Second
)

// maxHeld is how many messages a worker has in flight at most.
const maxHeld = profile.WorkerHolds

// awayEvery is the longest time between two tries of something that is away.
const awayEvery = 2 * time.Second

// Run works on ride requests and serves the operations port until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	if cfg.Worker == "" {
		cfg.Worker = fmt.Sprintf("dispatch-%d", os.Getpid())
	}

	if err := postgres.CheckVersion(ctx, cfg.DatabaseURL, ride.Schemas()...); err != nil {
		return err
	}

	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: cfg.Worker})
	if err != nil {
		return err
	}
	defer pool.Close()

	aws, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}

	streets, err := city.Load()
	if err != nil {
		return fmt.Errorf("dispatch: %w", err)
	}

	store := ride.NewStore(pool, cfg.Profile)
	listener := ride.NewListener(pool, env.Log)
	h := newHandler(cfg, env.Log, store, listener, streets)
	var deleted deletes
	worker, err := newWorker(env, cfg, sqs.NewFromConfig(aws), h, store, &deleted)
	if err != nil {
		return err
	}

	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "worker", Run: func(ctx context.Context) error {
			// This ctx ends when the worker is told to stop; the handlers' own end later,
			// with the drain.
			h.stopping = ctx
			return worker.Run(ctx)
		}},
		lifecycle.Task{Name: "listener", Run: listener.Run},
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "dispatch", Env: env, Auth: cfg.Auth,
				Ready: []httpserver.Check{
					{Name: "postgres", Run: pool.Ping},
					{Name: "queue", Run: func(context.Context) error { return worker.Ready() }},
				},
				Status: func() any {
					return status{
						Worker: cfg.Worker, PID: os.Getpid(), MayHold: maxHeld, DeletedAt: deleted.lately(time.Now()),
						Stats: worker.Stats(), InFlight: worker.InFlight(),
					}
				},
			})
		}})
}

// newHandler returns the handler; its stopping is set when the worker begins.
func newHandler(cfg Config, log *slog.Logger, store *ride.Store, listener *ride.Listener, streets *city.City) *handler {
	h := &handler{
		rides: store, worker: cfg.Worker, noDriver: cfg.Profile.NoDriverDelay, poll: cfg.Profile.PollEvery,
		finder: nearbyFinder{client: httpclient.ForService(cfg.NearbyURL, cfg.Auth, cfg.Worker), times: streets.TravelTimes},
		watch: func(rideID string) (<-chan struct{}, func()) {
			s := listener.Ride(rideID)
			return s.C, s.Close
		},
		grace: offerGrace, log: log, retryWithin: cfg.Profile.Visibility,
	}
	h.nearby, h.postgres = newDependencies(min(cfg.Profile.NoDriverDelay, awayEvery))
	return h
}

func newWorker(env lifecycle.Env, cfg Config, client sqsworker.Client, h *handler, store *ride.Store, deleted *deletes) (*sqsworker.Worker, error) {
	// A request is handled until its ride has a driver, so the handler's deadline
	// is the ride's own and a little more.
	worker, err := sqsworker.New(sqsworker.Options{
		Client: client, Queue: event.QueueRideRequests, DeadLetterQueue: event.QueueRideRequestsDead, Handler: h,
		Needs: []*sqsworker.Dependency{h.nearby, h.postgres}, MaxInFlight: maxHeld,
		Tries: event.Tries, DeadLettered: h.deadLettered, VisibilitySetting: "RideRequestVisibilitySeconds in messaging.yaml",
		Visibility: cfg.Profile.Visibility, HandleWithin: cfg.Profile.ExpiresAfter + time.Minute, Drain: drain, Log: env.Log,
		Context: func(ctx context.Context, m sqsworker.Message) context.Context { return traced(ctx, env.Traces, m) },
		Metrics: queuemetrics.Worker(env.Metrics, event.QueueRideRequests),
		Handled: func(ctx context.Context, m sqsworker.Message, o sqsworker.Outcome, _ time.Duration) {
			if o == sqsworker.OutcomeDone {
				deleted.note(time.Now())
			}
			noteOutcome(ctx, env.Log, store, cfg.Worker, m, o)
			telemetry.EndReceive(ctx, string(o), o != sqsworker.OutcomeDone)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("dispatch: %w", err)
	}
	return worker, nil
}

// traced begins the span of a receive, in the trace of the message's ride.
func traced(ctx context.Context, provider trace.TracerProvider, m sqsworker.Message) context.Context {
	ctx = telemetry.Receive{Queue: event.QueueRideRequests, ID: m.ID, Traceparent: m.Attributes[telemetry.Header], Receives: m.Receives}.Begin(ctx, provider)

	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		if req, err := decode(m.Body); err == nil {
			span.SetAttributes(attribute.String(event.SpanRideID, req.RideID))
		}
	}
	return ctx
}

// noteOutcome writes into the ride's history that its message was deleted, or that
// this try ended without it. It is for those who watch a ride: a crash before it
// loses this line and nothing else.
func noteOutcome(ctx context.Context, log *slog.Logger, store *ride.Store, worker string, m sqsworker.Message, o sqsworker.Outcome) {
	req, err := decode(m.Body)
	if err != nil || o == sqsworker.OutcomeDead { // deadLettered notes it, with its reason
		return
	}

	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()

	if o == sqsworker.OutcomeDone {
		err = store.Deleted(ctx, req.RideID, m.ID, worker)
	} else {
		err = store.TryEnded(ctx, req.RideID, receipt(m, worker), string(o))
	}
	if err != nil {
		log.Warn("the ride's history lacks how a try of its message ended", "ride_id", req.RideID, "outcome", o, "err", err)
	}
}

// status is the detail of GET /v1/status.
type status struct {
	Worker  string `json:"worker"`
	PID     int    `json:"pid"`
	MayHold int    `json:"may_hold"`
	// DeletedAt is when SQS acknowledged the deletes of the last seconds, ms since
	// 1970 UTC, the oldest first.
	DeletedAt []int64 `json:"deleted_at"`
	sqsworker.Stats
	InFlight []sqsworker.Held `json:"in_flight"`
}
