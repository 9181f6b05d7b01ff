package notification

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/internal/queuemetrics"
	"tandem/services/internal/retention"
	"tandem/services/internal/telemetry"
)

// Config is what the service needs.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
	// TextsPerSecond is how many SMS this process sends a second at most, codes
	// included; 0: 10. SNS has a quota of its own, for each account and region
	// (Service Quotas, Amazon SNS), which all processes share.
	TextsPerSecond float64
	// Lab allows the switch that shows what the delivery record prevents. It must be
	// false where a text reaches somebody.
	Lab bool
}

// textsPerSecond is the rate of a process that is told none.
const textsPerSecond = 10.0

// Run consumes and serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	if !(cfg.TextsPerSecond >= 0) { // NaN is neither
		return fmt.Errorf("notification: %v texts a second: it must be above 0, or 0 for the default", cfg.TextsPerSecond)
	}
	if err := postgres.CheckVersion(ctx, cfg.DatabaseURL, Schema()); err != nil {
		return err
	}

	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: "notification"})
	if err != nil {
		return err
	}
	defer pool.Close()

	aws, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}

	s := &store{pool: pool}
	sms := snsSender{sns.NewFromConfig(aws)}
	pace := rate.NewLimiter(rate.Limit(cmp.Or(cfg.TextsPerSecond, textsPerSecond)), 1)
	switches := &lab{allowed: cfg.Lab}
	h := &handler{store: s, sms: sms, pace: pace, claim: cfg.Profile.NoticeVisibility, lab: switches, log: env.Log, notSent: newNotSent()}
	env.Metrics.MustRegister(h.notSent)
	h.sns, h.postgres = newDependencies()
	worker, err := newWorker(env, cfg, sqs.NewFromConfig(aws), h)
	if err != nil {
		return err
	}

	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "worker", Run: worker.Run},
		lifecycle.Task{Name: "retention", Run: func(ctx context.Context) error {
			return retention.Run(ctx, retention.Options{What: "notices", Keep: cfg.Profile.KeepFor, Log: env.Log, Metrics: env.Metrics, Delete: s.removeOld})
		}},
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "notification", Env: env, Auth: cfg.Auth, Routes: routes(s, &verifier{store: s, sms: sms, pace: pace, keyed: cfg.Auth}, switches),
				Ready: []httpserver.Check{
					{Name: "postgres", Run: pool.Ping},
					{Name: "queue", Run: func(context.Context) error { return worker.Ready() }},
				},
				Status: func() any { return status{Worker: event.QueueNotifications, PID: os.Getpid(), Stats: worker.Stats()} },
			})
		}})
}

func newWorker(env lifecycle.Env, cfg Config, client sqsworker.Client, h *handler) (*sqsworker.Worker, error) {
	worker, err := sqsworker.New(sqsworker.Options{
		Client: client, Queue: event.QueueNotifications, DeadLetterQueue: event.QueueNotificationsDead,
		Handler: sqsworker.HandlerFunc(h.handle), Needs: []*sqsworker.Dependency{h.sns, h.postgres},
		Tries: event.Tries, Visibility: cfg.Profile.NoticeVisibility, Log: env.Log,
		Metrics:           queuemetrics.Worker(env.Metrics, event.QueueNotifications),
		VisibilitySetting: "NotificationVisibilitySeconds in messaging.yaml",
		// A message that fails must not use up the tries of the ride's next messages,
		// which would be received with it.
		BatchSize: 1,
		Context: func(ctx context.Context, m sqsworker.Message) context.Context {
			ctx = telemetry.Receive{Queue: event.QueueNotifications, ID: m.ID, Traceparent: m.Attributes[telemetry.Header], Receives: m.Receives}.Begin(ctx, env.Traces)
			trace.SpanFromContext(ctx).SetAttributes(attribute.String(event.SpanRideID, m.Group))
			return ctx
		},
		Handled: func(ctx context.Context, _ sqsworker.Message, o sqsworker.Outcome, _ time.Duration) {
			telemetry.EndReceive(ctx, string(o), o != sqsworker.OutcomeDone)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("notification: %w", err)
	}
	return worker, nil
}

func newNotSent() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{
		Name: "notification_sms_capped_total", Help: "Texts that were not sent because the rider had had the day's cap.",
	})
}

// status is the detail of GET /v1/status.
type status struct {
	Worker string `json:"worker"`
	PID    int    `json:"pid"`
	sqsworker.Stats
}
