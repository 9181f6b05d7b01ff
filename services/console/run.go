package console

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// Config is what the console needs.
type Config struct {
	Auth       *auth.Signer
	AWS        awsclient.Config
	BookingURL string
	Peers      []Peer
	// Queues are the names to look at; empty: ride-requests, notifications.fifo
	// and their dead-letter queues.
	Queues []string
	// StreamRetention is how long the stream keeps a record; 0: 24 hours.
	StreamRetention time.Duration
}

type service struct {
	cfg     Config
	gather  *gatherer
	booking *httpclient.Client
}

// Run serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	if len(cfg.Queues) == 0 {
		cfg.Queues = []string{event.QueueRideRequests, event.QueueRideRequestsDead, event.QueueNotifications, event.QueueNotificationsDead}
	}
	if cfg.StreamRetention == 0 {
		cfg.StreamRetention = 24 * time.Hour
	}
	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}
	s := &service{
		cfg:     cfg,
		gather:  newGatherer(cfg, sqs.NewFromConfig(awsCfg), cfg.Auth),
		booking: httpclient.ForService(cfg.BookingURL, cfg.Auth, "console"),
	}
	return httpserver.Serve(ctx, httpserver.Options{Name: "console", Env: env, Auth: cfg.Auth, Routes: s.routes()})
}

func (s *service) routes() []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/overview", Roles: []auth.Role{auth.Admin, auth.Service}, Handle: func(c *gin.Context) error {
			c.JSON(http.StatusOK, s.gather.overview(c.Request.Context()))
			return nil
		}},
		{Method: http.MethodGet, Path: "/v1/rides/:id/stream", Roles: []auth.Role{auth.Rider, auth.Driver, auth.Admin}, Handle: s.rideStream},
	}
}
