package dispatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/dispatch"
	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/test/testenv"
)

const patience, look = time.Minute, 20 * time.Millisecond

// startWorker runs a worker of the fast profile until the test ends, and returns its
// URL.
func startWorker(t *testing.T, cfg dispatch.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	env := lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	cfg.Profile, cfg.Worker = profile.Fast(), "w1"
	start(t, func(ctx context.Context) error { return dispatch.Run(ctx, env, cfg) })
	return "http://" + l.Addr().String()
}

// TestFromTheOutboxToTheDelete runs the process against Postgres, the relay and
// the emulator: a ride is offered, accepted, and its message deleted; what
// cannot be read is on the dead-letter queue with its reason.
func TestFromTheOutboxToTheDelete(t *testing.T) {
	t.Parallel()
	url, pool := testenv.Database(t, ride.Schemas()...)
	awsConfig := testenv.Emulator(t)
	sdk, err := awsclient.New(t.Context(), awsConfig)
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)

	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	nearby := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"drivers":[{"driver_id":"ana","lat":-34.9,"lon":-56.1}]}`))
	}))
	t.Cleanup(nearby.Close)

	store := ride.NewStore(pool, profile.Fast())
	_, err = store.SetDuty(t.Context(), "ana", true)
	require.NoError(t, err)

	relay, err := outbox.NewRelay(outbox.Options{Pool: pool, Box: ride.Outbox(), Client: client, OnSent: ride.OnSent})
	require.NoError(t, err)
	start(t, relay.Run)

	worker := startWorker(t, dispatch.Config{DatabaseURL: url, AWS: awsConfig, Auth: signer, NearbyURL: nearby.URL})

	r := book(t, store)
	var offer ride.Offer
	require.Eventually(t, func() bool {
		now, err := store.Get(t.Context(), r.ID)
		if err != nil || now.Offer == nil {
			return false
		}
		offer = *now.Offer
		return true
	}, patience, look)
	var holds struct {
		Detail struct {
			InFlight []sqsworker.Held `json:"in_flight"`
		}
	}
	asks := httpclient.ForService(worker, signer, "test")
	require.NoError(t, asks.Get(t.Context(), "/v1/status", &holds))
	require.Equal(t, []sqsworker.Held{{MessageID: messageOf(t, store, r.ID), Receives: 1}}, holds.Detail.InFlight)
	_, err = store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActAccept, Driver: "ana", Offer: offer.ID}, "driver ana")
	require.NoError(t, err)

	require.Eventually(t, func() bool {
		events, err := store.Events(t.Context(), r.ID, 0, 100)
		return err == nil && events[len(events)-1].Kind == ride.EventDeleted
	}, patience, look)

	queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueRideRequests)})
	require.NoError(t, err)
	_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("{")})
	require.NoError(t, err)

	require.Contains(t, deadReason(t, client, event.QueueRideRequestsDead), "unexpected end of JSON")

	var status struct{ Detail map[string]any }
	require.Eventually(t, func() bool {
		var s httpserver.Status
		if err := asks.Get(t.Context(), "/v1/status", &s); err != nil {
			return false
		}
		b, err := json.Marshal(s)
		return err == nil && json.Unmarshal(b, &status) == nil && status.Detail["dead"] == 1.0
	}, patience, look)

	require.Equal(t, "w1", status.Detail["worker"])
	require.EqualValues(t, 1, status.Detail["done"])
	require.Empty(t, status.Detail["in_flight"])

	resp, err := http.Get(worker + "/readyz")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// messageOf returns the id of the message that a worker has received last for a ride.
func messageOf(t *testing.T, store *ride.Store, id string) (message string) {
	t.Helper()
	events, err := store.Events(t.Context(), id, 0, 100)
	require.NoError(t, err)
	for _, e := range events {
		if e.Kind == ride.EventReceived {
			var data received
			require.NoError(t, json.Unmarshal(e.Data, &data))
			message = data.MessageID
		}
	}
	return message
}

// book books a ride.
func book(t *testing.T, store *ride.Store) ride.Ride {
	t.Helper()
	r, _, err := store.Create(t.Context(), ride.Booking{
		RiderID: "rita", Key: "k1", Price: ride.Money{Currency: "UYU"},
		Pickup: ride.Place{Point: geo.Point{Lat: -34.9, Lon: -56.1}}, Dropoff: ride.Place{Point: geo.Point{Lat: -34.8, Lon: -56.1}},
	})
	require.NoError(t, err)
	return r
}

// start runs fn until the test ends, and wants it to drain cleanly.
func start(t *testing.T, fn func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- fn(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
}
