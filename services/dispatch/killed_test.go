package dispatch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/dispatch"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
)

// What makes TestMain a worker process: where its Postgres and its SQS are.
const victimDatabase, victimEndpoint = "TANDEM_TEST_VICTIM_DATABASE", "TANDEM_TEST_VICTIM_ENDPOINT"

func TestMain(m *testing.M) {
	if url := os.Getenv(victimDatabase); url != "" {
		fmt.Fprintln(os.Stderr, beVictim(url, os.Getenv(victimEndpoint)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// shortVisibility is the fast profile with the shortest visibility that there is, and
// with rides that live longer than five of them on any machine.
func shortVisibility() profile.Profile {
	p := profile.Fast()
	p.Visibility, p.ExpiresAfter = 2*time.Second, 10*time.Minute
	return p
}

// beVictim is a worker in a process of its own, which kill -9 ends when it asks where
// drivers are.
func beVictim(database, endpoint string) error {
	nearby := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			_ = p.Kill()
		}
		select {}
	}))
	return runWorker(context.Background(), database, awsclient.Config{Endpoint: endpoint}, nearby.URL)
}

func runWorker(ctx context.Context, database string, aws awsclient.Config, nearbyURL string) error {
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env := lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	return dispatch.Run(ctx, env, dispatch.Config{
		DatabaseURL: database, AWS: aws, Auth: signer, Profile: shortVisibility(), NearbyURL: nearbyURL,
	})
}

// TestARideThatKillsItsWorkersGetsItsReason has a ride end five worker processes. The
// sixth, which is well, may not handle it any more: it writes why.
func TestARideThatKillsItsWorkersGetsItsReason(t *testing.T) {
	t.Parallel()
	database, pool := testenv.Database(t, append(ride.Schemas(), deadletter.Schema())...)
	awsConfig := testenv.Emulator(t)
	sdk, err := awsclient.New(t.Context(), awsConfig)
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)

	store := ride.NewStore(pool, shortVisibility())
	relay, err := outbox.NewRelay(outbox.Options{Pool: pool, Box: ride.Outbox(), Client: client, OnSent: ride.OnSent})
	require.NoError(t, err)
	start(t, relay.Run)
	r := book(t, store)

	for try := 1; try <= 5; try++ {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), victimDatabase+"="+database, victimEndpoint+"="+awsConfig.Endpoint)
		out, err := victim.CombinedOutput()
		require.ErrorContains(t, err, "signal: killed", "%s", out)
	}
	require.Equal(t, "requested queued received received received received received", strings.Join(historyOf(t, store, r.ID), " "))

	var asked atomic.Int64
	nearby := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"drivers":[]}`))
	}))
	t.Cleanup(nearby.Close)
	start(t, func(ctx context.Context) error { return runWorker(ctx, database, awsConfig, nearby.URL) })

	// The dead letter has its reason, and so has the ride.
	const reason = "received 5 times without a result: "
	require.Contains(t, deadReason(t, client, event.QueueRideRequestsDead), reason)
	require.Eventually(t, func() bool {
		events, err := store.Events(t.Context(), r.ID, 0, 100)
		last := events[len(events)-1]
		return err == nil && last.Kind == ride.EventDeadLettered && strings.Contains(string(last.Data), reason)
	}, patience, look)
	require.Zero(t, asked.Load(), "a sixth worker handled it")

	endsAsADeadLetter(t, store, pool, r.ID)
	redrivenInVain(t, store, database, awsConfig, r.ID)
}

// redrivenInVain wants the redrive of a closed ride to be done at once, and told by the
// list beforehand and by the ride's history afterwards.
func redrivenInVain(t *testing.T, store *ride.Store, database string, where awsclient.Config, id string) {
	t.Helper()
	tool, done, err := deadletter.Open(t.Context(), deadletter.Config{DatabaseURL: database, AWS: where})
	require.NoError(t, err)
	t.Cleanup(done)

	l, err := tool.List(t.Context(), event.QueueRideRequestsDead)
	require.NoError(t, err)
	require.Len(t, l.Letters, 1)
	require.Equal(t, "its ride is closed: a redrive does nothing, discard it", l.Letters[0].Advice)
	_, err = tool.Redrive(t.Context(), l.Place, l.Letters[0].ID, deadletter.By{Who: "ops"})
	require.NoError(t, err)

	require.Eventually(t, func() bool {
		history := historyOf(t, store, id)
		return strings.HasSuffix(strings.Join(history, " "), "dead_lettered unfulfilled received deleted")
	}, patience, look)
	l, err = tool.List(t.Context(), event.QueueRideRequestsDead)
	require.NoError(t, err)
	require.Empty(t, l.Letters)
}

// endsAsADeadLetter wants the ride left alone until it expires, since a person may
// redrive its message, and then closed.
func endsAsADeadLetter(t *testing.T, store *ride.Store, pool *pgxpool.Pool, id string) {
	t.Helper()
	none := func(context.Context) (int, error) { return 0, nil }
	var waits bool
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT wake_at = expires_at FROM ride.rides WHERE id = $1`, id).Scan(&waits))
	require.True(t, waits, "the sweeper would send it again, for five more workers to die")

	_, err := pool.Exec(t.Context(), `UPDATE ride.rides SET expires_at = clock_timestamp(), wake_at = clock_timestamp() WHERE id = $1`, id)
	require.NoError(t, err)
	swept, err := store.Sweep(t.Context(), none)
	require.NoError(t, err)
	require.Equal(t, ride.Swept{Closed: 1}, swept)
	now, err := store.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, ride.Unfulfilled, now.State)
}

// deadReason receives a message of a dead-letter queue and returns its reason.
func deadReason(t *testing.T, client *sqs.Client, queue string) string {
	t.Helper()
	dead, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})
	require.NoError(t, err)
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: dead.QueueUrl, WaitTimeSeconds: 20, MessageAttributeNames: []string{"All"}, VisibilityTimeout: 1})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1, "on %s", queue)
	return aws.ToString(out.Messages[0].MessageAttributes[sqsworker.ReasonAttribute].StringValue)
}

func historyOf(t *testing.T, store *ride.Store, id string) (kinds []string) {
	t.Helper()
	events, err := store.Events(t.Context(), id, 0, 100)
	require.NoError(t, err)
	for _, e := range events {
		kinds = append(kinds, string(e.Kind))
	}
	return kinds
}
