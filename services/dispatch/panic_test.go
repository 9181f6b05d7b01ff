package dispatch

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/queue/outbox"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
)

// brokenRides panics where a worker asks who was asked, until it is mended.
type brokenRides struct {
	*ride.Store
	mended atomic.Bool
}

func (b *brokenRides) Asked(ctx context.Context, rideIDs ...string) (map[string]ride.Asked, error) {
	if !b.mended.Load() {
		panic("a nil map")
	}
	return b.Store.Asked(ctx, rideIDs...)
}

// A handler that panics keeps its worker, its request becomes a dead letter with the
// panic as its reason, and a redrive assigns a driver once the handler is mended.
func TestARideWhoseHandlerPanicsIsRedriven(t *testing.T) {
	t.Parallel()
	database, pool := testenv.Database(t, append(ride.Schemas(), deadletter.Schema())...)
	store, h, r := realRidesOn(t, pool)
	broken := &brokenRides{Store: store}
	h.rides = broken

	where := testenv.Emulator(t)
	sdk, err := awsclient.New(t.Context(), where)
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)
	relay, err := outbox.NewRelay(outbox.Options{Pool: pool, Box: ride.Outbox(), Client: client, OnSent: ride.OnSent})
	require.NoError(t, err)
	_, err = relay.Round(t.Context())
	require.NoError(t, err)

	// Three of its five tries ended already: only two have to wait for their turn.
	name := event.QueueRideRequests
	queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	require.NoError(t, err)
	for range event.Tries - 2 {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, WaitTimeSeconds: 20})
		require.NoError(t, err)
		require.Len(t, out.Messages, 1)
		_, err = client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: queue.QueueUrl, ReceiptHandle: out.Messages[0].ReceiptHandle})
		require.NoError(t, err)
	}

	env := lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	worker, err := newWorker(env, Config{Profile: profile.Fast(), Worker: "w1"}, client, h, store, new(deletes))
	require.NoError(t, err)
	working, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(working) }()

	tool, done, err := deadletter.Open(t.Context(), deadletter.Config{DatabaseURL: database, AWS: where})
	require.NoError(t, err)
	t.Cleanup(done)
	var dead deadletter.Listing
	require.Eventually(t, func() bool {
		dead, err = tool.List(t.Context(), event.QueueRideRequestsDead)
		return err == nil && len(dead.Letters) == 1
	}, time.Minute, 20*time.Millisecond)
	letter := dead.Letters[0]
	require.Contains(t, letter.Reason, "try 5 of 5: sqsworker: handler panicked: a nil map")
	require.Equal(t, r.ID, letter.Ride.ID)
	require.Equal(t, "dead_lettered", kinds(t, store, r.ID)[len(kinds(t, store, r.ID))-1])

	broken.mended.Store(true)
	_, err = tool.Redrive(t.Context(), letter.Place, letter.ID, deadletter.By{Who: "ops", Why: "the nil map is mended"})
	require.NoError(t, err)
	offer := offeredTo(t, store, r.ID, "ana").Offer
	_, err = store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActAccept, Driver: "ana", Offer: offer.ID}, "driver ana")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return strings.HasSuffix(strings.Join(kinds(t, store, r.ID), " "), "received offered assigned deleted")
	}, time.Minute, 20*time.Millisecond, "the same worker did it")

	acts, err := tool.Acts(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Len(t, acts, 1)
	require.Equal(t, []string{deadletter.ActRedrive, "done", "ops", "the nil map is mended", letter.Reason},
		[]string{acts[0].Act, acts[0].Outcome, acts[0].Who, acts[0].Why, acts[0].Reason})

	stop()
	require.NoError(t, <-ended)
}
