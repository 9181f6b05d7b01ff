package history

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/retention"
)

// Name is the service's, and its consumer group's.
const Name = "history"

const (
	name       = Name
	generation = 1 // a rebuild reads everything again under the next one
)

// Config is what the service needs.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Auth        *auth.Signer
	BookingURL  string // is asked who may see a ride's track, and from when to when
	Profile     profile.Profile
	// CatchUpBytes bounds what is read of one shard in a second; 0: all that a shard
	// serves.
	CatchUpBytes int
	// Keep is how long a point is kept, counted from its arrival: at least LeastKeep. 0:
	// DefaultKeep.
	Keep time.Duration
}

// Run reads the stream and serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	pool, err := points.OpenPool(ctx, cfg.DatabaseURL, name, cfg.Profile.Lease, Schema())
	if err != nil {
		return err
	}
	defer pool.Close()

	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}

	s := newStore(pool)
	s.keep = cmp.Or(cfg.Keep, DefaultKeep)
	s.ride = askBooking(httpclient.New(cfg.BookingURL, httpclient.Options{
		Timeout: 10 * time.Second, Connections: 16, Retry: httpclient.Retry{First: 50 * time.Millisecond, Most: time.Second, For: 5 * time.Second},
	}), cfg.Auth)
	//excerpt:group
	group, err := points.NewGroup(points.GroupOptions{
		Name: name, Generation: generation, Store: s, Pool: pool, Client: kinesis.NewFromConfig(awsCfg),
		Lease: cfg.Profile.Lease, Backoff: cfg.Profile.Backoff, Log: env.Log, Metrics: env.Metrics, Traces: env.Traces,
		// Half as often as those whose answer a person waits for: all readers
		// share a shard's five calls a second.
		PollEvery: 2 * cfg.Profile.PollEvery, CatchUpBytes: cfg.CatchUpBytes,
	})
	//excerpt:end
	if err != nil {
		return err
	}

	tooLate := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tandem_history_points_too_late_total", Help: "Points that came after their day had been dropped because of its age; they are not stored.",
	})
	env.Metrics.MustRegister(tooLate)
	s.late = func(n int) {
		tooLate.Add(float64(n))
		env.Log.Warn("points came after their day had been dropped; they are counted as expired", "n", n)
	}

	return group.Serve(ctx, httpserver.Options{Name: name, Env: env, Auth: cfg.Auth, Routes: routes(s)},
		lifecycle.Task{Name: "retention", Run: func(ctx context.Context) error {
			return retention.Run(ctx, retention.Options{
				What: "points", Keep: s.keep, Least: LeastKeep, Log: env.Log, Metrics: env.Metrics,
				Delete: func(ctx context.Context, keep time.Duration, _ int) (int64, error) { return s.dropOld(ctx, keep) },
			})
		}})
}
