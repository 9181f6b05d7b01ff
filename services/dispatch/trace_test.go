package dispatch_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"tandem/services/dispatch"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/queue/outbox"
	"tandem/services/test/testenv"
)

// received is what the ride's history says of one receive.
type received struct {
	MessageID string    `json:"message_id"`
	Receives  int       `json:"receives"`
	SentAt    time.Time `json:"sent_at"`
	Outcome   string    `json:"outcome"`
}

// traced is a ride whose request is on the queue, and no worker yet.
type traced struct {
	store  *ride.Store
	ride   ride.Ride
	client *sqs.Client
	queue  *string
	work   func(nearby http.HandlerFunc) // starts a worker
}

func newTraced(t *testing.T) traced {
	t.Helper()
	url, pool := testenv.Database(t, ride.Schemas()...)
	awsConfig := testenv.Emulator(t)
	sdk, err := awsclient.New(t.Context(), awsConfig)
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)

	store := ride.NewStore(pool, profile.Fast())
	_, err = store.SetDuty(t.Context(), "ana", true)
	require.NoError(t, err)
	r, _, err := store.Create(t.Context(), ride.Booking{RiderID: "rita", Key: "k1", Price: ride.Money{Currency: "UYU"}})
	require.NoError(t, err)
	relay, err := outbox.NewRelay(outbox.Options{Pool: pool, Box: ride.Outbox(), Client: client, OnSent: ride.OnSent})
	require.NoError(t, err)
	n, err := relay.Round(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueRideRequests)})
	require.NoError(t, err)

	work := func(nearby http.HandlerFunc) {
		server := httptest.NewServer(nearby)
		t.Cleanup(server.Close)
		startWorker(t, dispatch.Config{DatabaseURL: url, AWS: awsConfig, Auth: signer, NearbyURL: server.URL})
	}
	return traced{store, r, client, queue.QueueUrl, work}
}

// history waits until the ride's history has n events of a kind, and returns their
// data.
func (q traced) history(t *testing.T, kind string, n int) (out []received) {
	t.Helper()
	require.Eventually(t, func() bool {
		out = nil
		events, err := q.store.Events(t.Context(), q.ride.ID, 0, 100)
		for _, e := range events {
			if string(e.Kind) == kind {
				var data received
				require.NoError(t, json.Unmarshal(e.Data, &data))
				out = append(out, data)
			}
		}
		return err == nil && len(out) >= n
	}, patience, look, "%d x %s", n, kind)
	return out
}

func nearAna(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"drivers":[{"driver_id":"ana","lat":0,"lon":0}]}`))
}

// The time at which a message was sent is SQS's own, as any other receiver reads it.
func TestTheHistorySaysWhenSQSGotTheMessage(t *testing.T) {
	t.Parallel()
	q := newTraced(t)
	out, err := q.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: q.queue, WaitTimeSeconds: 20,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
	})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1)
	sent, err := strconv.ParseInt(out.Messages[0].Attributes["SentTimestamp"], 10, 64)
	require.NoError(t, err)
	_, err = q.client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: q.queue, ReceiptHandle: out.Messages[0].ReceiptHandle})
	require.NoError(t, err)

	q.work(nearAna)
	got := q.history(t, "received", 1)[0]
	require.Equal(t, *out.Messages[0].MessageId, got.MessageID)
	require.Equal(t, 2, got.Receives, "this test has received it before")
	require.Equal(t, sent, got.SentAt.UnixMilli())
}

// A try that ended without a delete is told apart from one whose worker died.
func TestATryThatFailedIsInTheHistory(t *testing.T) {
	t.Parallel()
	q := newTraced(t)
	var calls atomic.Int64
	q.work(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusBadRequest) // nearby is not away: this is a failure of the message
			_, _ = w.Write([]byte(`{"status":400,"code":"invalid","detail":"no"}`))
			return
		}
		nearAna(w, r)
	})

	tries := q.history(t, "received", 2)
	require.Equal(t, []int{1, 2}, []int{tries[0].Receives, tries[1].Receives})
	ended := q.history(t, "try_ended", 1)
	require.Equal(t, []received{{MessageID: tries[0].MessageID, Receives: 1, Outcome: "retried"}}, ended)
}
