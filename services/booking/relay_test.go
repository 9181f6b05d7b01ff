package booking_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/queue/outbox"
	"tandem/services/test/testenv"
)

// requested is one ride whose request is in the outbox.
type requested struct {
	pool  *pgxpool.Pool
	store *ride.Store
	ride  ride.Ride
	relay *outbox.Relay
}

func newRequested(t *testing.T) requested {
	t.Helper()
	_, pool := testenv.Database(t, ride.Schemas()...)
	sdk, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	relay, err := outbox.NewRelay(outbox.Options{Pool: pool, Client: sqs.NewFromConfig(sdk), Box: ride.Outbox(), OnSent: ride.OnSent})
	require.NoError(t, err)

	store := ride.NewStore(pool, profile.Default())
	r, _, err := store.Create(t.Context(), ride.Booking{RiderID: "rita", Key: "k", Price: ride.Money{Currency: "UYU"}})
	require.NoError(t, err)
	return requested{pool, store, r, relay}
}

func TestACopyOfTheMessageTakesNoDriverAway(t *testing.T) {
	t.Parallel()
	q := newRequested(t)
	_, err := q.store.SetDuty(t.Context(), "ana", true)
	require.NoError(t, err)
	for _, a := range []ride.Action{{Kind: ride.ActOffer, Driver: "ana", Attempt: 1}, {Kind: ride.ActAccept, Driver: "ana"}} {
		_, err := q.store.Do(t.Context(), q.ride.ID, a, "test")
		require.NoError(t, err)
	}

	_, err = q.store.Do(t.Context(), q.ride.ID, ride.Action{Kind: ride.ActRequeue, Attempt: 1, Reason: "no driver is free"}, "worker with a copy")
	require.ErrorIs(t, err, ride.ErrState)
}

func TestAMessageThatWaitedInTheOutboxIsNotSentTwice(t *testing.T) {
	t.Parallel()
	q := newRequested(t)
	_, err := q.pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = wake_at - interval '5 min'`)
	require.NoError(t, err)
	_, err = q.pool.Exec(t.Context(), `UPDATE ride.outbox SET added_at = added_at - interval '5 min'`)
	require.NoError(t, err)

	n, err := q.relay.Round(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	swept, err := q.store.Sweep(t.Context(), emptyQueue)
	require.NoError(t, err)
	require.Zero(t, swept.Requeued)

	var wake time.Time
	require.NoError(t, q.pool.QueryRow(t.Context(), `SELECT wake_at FROM ride.rides WHERE id = $1`, q.ride.ID).Scan(&wake))
	require.Greater(t, time.Until(wake), 4*profile.Default().Visibility)
}

func TestNoEventIsNumberedBelowOneThatWasSeen(t *testing.T) {
	t.Parallel()
	q := newRequested(t)
	tx, err := q.pool.Begin(t.Context()) // a worker's receive holds the ride's lock
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM ride.rides WHERE id = $1 FOR UPDATE`, q.ride.ID)
	require.NoError(t, err)

	sent := make(chan error, 1)
	go func() { _, err := q.relay.Round(t.Context()); sent <- err }()
	require.Eventually(t, func() bool {
		var n int
		err := q.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		return err == nil && n > 0
	}, patience, look)

	var seen int64
	require.NoError(t, tx.QueryRow(t.Context(), `INSERT INTO ride.ride_events (ride_id, kind, at, by, attempt, data)
		VALUES ($1, 'received', now(), 'w', 1, '{}') RETURNING seq`, q.ride.ID).Scan(&seen))
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, <-sent)
	later, err := q.store.Events(t.Context(), q.ride.ID, seen, 10)
	require.NoError(t, err)
	require.Len(t, later, 1, "a reader that has seen this event gets the later one")
}

// The queue loses everything on it: the sweeper sends again, under a new attempt,
// and a ride that nobody takes comes to its end.
func TestTheSweeperSendsAgainWhatTheQueueLost(t *testing.T) {
	t.Parallel()
	times := profile.Fast()
	times.Visibility, times.Margin, times.SweepEvery, times.ExpiresAfter = 200*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond, 3*time.Second
	h := start(t, times)
	r := h.as(auth.Rider, "rita").book(t, "k")

	attempts := []int{}
	for len(attempts) < 2 {
		var e event.Envelope
		require.NoError(t, json.Unmarshal([]byte(lose(t, h.sqs)), &e))
		var req event.RideRequest
		require.NoError(t, json.Unmarshal(e.Data, &req))
		require.Equal(t, r.ID, req.RideID)
		attempts = append(attempts, req.Attempt)
	}
	require.Equal(t, []int{1, 2}, attempts)

	require.Eventually(t, func() bool {
		now, err := h.store.Get(t.Context(), r.ID)
		return err == nil && now.State == ride.Unfulfilled
	}, patience, look)
}

// lose takes one message off the ride requests, and nobody works on it.
func lose(t *testing.T, client *sqs.Client) string {
	t.Helper()
	url, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueRideRequests)})
	require.NoError(t, err)

	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, WaitTimeSeconds: 20})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1)
	_, err = client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url.QueueUrl, ReceiptHandle: out.Messages[0].ReceiptHandle})
	require.NoError(t, err)
	return *out.Messages[0].Body
}

// emptyQueue has lost everything.
func emptyQueue(context.Context) (int, error) { return 0, nil }

// A message belongs to the attempt that it was promised for, also where the ride has
// moved on while the relay waited for SQS's answer.
func TestAMessageIsNotedUnderItsOwnAttempt(t *testing.T) {
	t.Parallel()
	q := newRequested(t)
	_, err := q.store.Do(t.Context(), q.ride.ID, ride.Action{Kind: ride.ActRequeue, Attempt: 1, Delay: 5 * time.Second, Reason: "no driver is free"}, "worker")
	require.NoError(t, err)
	for range 2 { // one row of a key at a time
		_, err := q.relay.Round(t.Context())
		require.NoError(t, err)
	}

	rows, err := q.pool.Query(t.Context(), `SELECT e.attempt, o.attempt, coalesce((e.data->>'delay_s')::float, -1) FROM ride.ride_events e
		JOIN (SELECT message_id, row_number() OVER (ORDER BY seq) AS attempt FROM ride.outbox WHERE queue = 'ride-requests') o
			ON o.message_id = e.data->>'message_id' WHERE e.kind = 'queued' ORDER BY e.seq`)
	require.NoError(t, err)
	type noted struct {
		Event, Row int
		DelayS     float64
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[noted])
	require.NoError(t, err)
	require.Equal(t, []noted{{1, 1, 0}, {2, 2, 5}}, got)
}
