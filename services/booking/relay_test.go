package booking_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
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

// post is an outbox, and the queues that it is sent to.
type post struct {
	pool *pgxpool.Pool
	sqs  *sqs.Client
}

func newPost(t *testing.T) post {
	t.Helper()
	_, pool := testenv.Database(t, ride.Schema())
	sdk, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	return post{pool, sqs.NewFromConfig(sdk)}
}

func (p post) relay(client outbox.Client, onSent func(context.Context, pgx.Tx, []outbox.Sent) error) *outbox.Relay {
	return outbox.NewRelay(outbox.Options{
		Pool: p.pool, Client: client, Box: ride.Outbox(), Log: slog.New(slog.DiscardHandler), Lock: ride.RelayLock, OnSent: onSent,
	})
}

// add promises messages of one key, in order, each with its number as its body.
func (p post) add(t *testing.T, queue, key string, bodies ...string) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(t.Context(), p.pool, func(tx pgx.Tx) error {
		for _, b := range bodies {
			if err := ride.Outbox().Add(t.Context(), tx, outbox.Message{ID: uuid.NewString(), Queue: queue, Key: key, Body: []byte(b)}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (p post) unsent(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, p.pool.QueryRow(t.Context(), `SELECT count(*) FROM ride.outbox WHERE sent_at IS NULL`).Scan(&n))
	return n
}

func (p post) round(t *testing.T, r *outbox.Relay) int {
	t.Helper()
	n, err := r.Round(t.Context())
	require.NoError(t, err)
	return n
}

// receive takes n messages off a queue, and then finds it empty.
func (p post) receive(t *testing.T, queue string, n int) (bodies []string) {
	t.Helper()
	url, err := p.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})
	require.NoError(t, err)
	for wait := int32(10); ; {
		out, err := p.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: wait})
		require.NoError(t, err)
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			_, err := p.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url.QueueUrl, ReceiptHandle: m.ReceiptHandle})
			require.NoError(t, err)
		}
		if len(bodies) >= n {
			wait = 1
		}
		if len(out.Messages) == 0 {
			require.Len(t, bodies, n)
			return bodies
		}
	}
}

func TestACrashBetweenSendAndCommitSendsAgain(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.add(t, event.QueueRideRequests, "r1", "request")
	p.add(t, event.QueueNotifications, "r1", "notice")
	crash := errors.New("killed")
	dying := p.relay(p.sqs, func(context.Context, pgx.Tx, []outbox.Sent) error { return crash })
	_, err := dying.Round(t.Context())
	require.ErrorIs(t, err, crash)
	require.Equal(t, 2, p.unsent(t), "what was not committed was not sent, as far as anybody knows")

	var sent []outbox.Sent
	next := p.relay(p.sqs, func(_ context.Context, _ pgx.Tx, s []outbox.Sent) error {
		sent = append(sent, s...)
		return nil
	})
	require.Equal(t, 2, p.round(t, next))
	require.Len(t, sent, 2)
	require.Zero(t, p.unsent(t))
	require.Equal(t, []string{"request", "request"}, p.receive(t, event.QueueRideRequests, 2), "at least once")
	require.Equal(t, []string{"notice"}, p.receive(t, event.QueueNotifications, 1), "the FIFO queue knows the id")
}

func TestRowsOfOneKeyAreSentOneAfterTheOther(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.add(t, event.QueueNotifications, "r1", "1", "2", "3")
	p.add(t, event.QueueNotifications, "r2", "a")
	relay := p.relay(p.sqs, nil)
	require.Equal(t, []int{2, 1, 1, 0}, []int{p.round(t, relay), p.round(t, relay), p.round(t, relay), p.round(t, relay)})
	var first []string
	for _, b := range p.receive(t, event.QueueNotifications, 4) {
		if b != "a" {
			first = append(first, b)
		}
	}
	require.Equal(t, []string{"1", "2", "3"}, first)
}

// half refuses the entries that say so, as SQS may.
type half struct{ *sqs.Client }

func (h half) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, o ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	var good []types.SendMessageBatchRequestEntry
	var bad []types.BatchResultErrorEntry
	for _, e := range in.Entries {
		if strings.HasPrefix(*e.MessageBody, "bad") {
			bad = append(bad, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InternalError"), Message: aws.String("not now")})
		} else {
			good = append(good, e)
		}
	}
	in.Entries = good
	out, err := h.Client.SendMessageBatch(ctx, in, o...)
	if err == nil {
		out.Failed = append(out.Failed, bad...)
	}
	return out, err
}

func TestAnEntryThatIsRefusedHoldsBackItsOwnKeyAlone(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.add(t, event.QueueNotifications, "r1", "bad", "after")
	p.add(t, event.QueueNotifications, "r2", "good")
	require.Equal(t, 2, p.round(t, p.relay(half{p.sqs}, nil)))
	require.Zero(t, p.round(t, p.relay(p.sqs, nil)), "not before its time")
	require.Equal(t, []string{"good"}, p.receive(t, event.QueueNotifications, 1))
	var why string
	require.NoError(t, p.pool.QueryRow(t.Context(), `SELECT last_error FROM ride.outbox WHERE tries = 1 AND sent_at IS NULL`).Scan(&why))
	require.Equal(t, "InternalError: not now", why)
	_, err := p.pool.Exec(t.Context(), `UPDATE ride.outbox SET retry_at = now()`)
	require.NoError(t, err)
	relay := p.relay(p.sqs, nil)
	require.Equal(t, []int{1, 1}, []int{p.round(t, relay), p.round(t, relay)})
	require.Equal(t, []string{"bad", "after"}, p.receive(t, event.QueueNotifications, 2))
}

func TestAQueueThatIsNotThereHoldsBackNoOther(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.add(t, "not-yet", "r1", "early")
	p.add(t, event.QueueRideRequests, "r1", "request")
	relay := p.relay(p.sqs, nil)
	require.Equal(t, 2, p.round(t, relay))
	require.ErrorContains(t, relay.Ready(t.Context()), "not-yet")
	require.Equal(t, []string{"request"}, p.receive(t, event.QueueRideRequests, 1))
	_, err := p.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("not-yet")})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return p.round(t, relay) == 1 }, patience, look)
	require.NoError(t, relay.Ready(t.Context()))
	require.Equal(t, []string{"early"}, p.receive(t, "not-yet", 1))
}

func TestOneRelayWorksAtATime(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.add(t, event.QueueRideRequests, "r1", "request")
	frozen, err := p.pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = frozen.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, ride.RelayLock)
	require.NoError(t, err)
	require.Zero(t, p.round(t, p.relay(p.sqs, nil)))
	require.NoError(t, frozen.Rollback(t.Context()))
	require.Equal(t, 1, p.round(t, p.relay(p.sqs, nil)))
}

func TestAddRefusesWhatSQSWould(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	err := pgx.BeginFunc(t.Context(), p.pool, func(tx pgx.Tx) error {
		return ride.Outbox().Add(t.Context(), tx, outbox.Message{ID: uuid.NewString(), Queue: "q", Key: "k", Body: make([]byte, outbox.MaxBody+1)})
	})
	require.ErrorIs(t, err, outbox.ErrTooLarge)
}

// The queue loses everything that it held: the sweeper sends again, under a new
// attempt, and a ride that nobody takes comes to its end.
func TestTheSweeperSendsAgainWhatTheQueueLost(t *testing.T) {
	t.Parallel()
	times := profile.Fast()
	times.Visibility, times.Margin, times.SweepEvery, times.ExpiresAfter = 200*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond, 3*time.Second
	h := start(t, times)
	p := post{h.pool, h.sqs}
	r := h.as(auth.Rider, "rita").book(t, "k")
	attempts := []int{}
	for len(attempts) < 2 {
		var e event.Envelope
		require.NoError(t, json.Unmarshal([]byte(p.lose(t)), &e))
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
func (p post) lose(t *testing.T) string {
	t.Helper()
	url, err := p.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueRideRequests)})
	require.NoError(t, err)
	out, err := p.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, WaitTimeSeconds: 20})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1)
	_, err = p.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url.QueueUrl, ReceiptHandle: out.Messages[0].ReceiptHandle})
	require.NoError(t, err)
	return *out.Messages[0].Body
}
