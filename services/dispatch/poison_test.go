package dispatch_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"tandem/services/dispatch"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
)

// TestPoison sends a worker what it cannot handle: each is a dead letter with its reason
// at once, and a person redrives and discards.
func TestPoison(t *testing.T) {
	t.Parallel()
	database, pool := testenv.Database(t, append(ride.Schemas(), deadletter.Schema())...)
	where := testenv.Emulator(t)
	sdk, err := awsclient.New(t.Context(), where)
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	nearby := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(nearby.Close)
	tool, done, err := deadletter.Open(t.Context(), deadletter.Config{DatabaseURL: database, AWS: where})
	require.NoError(t, err)
	t.Cleanup(done)

	r := book(t, ride.NewStore(pool, profile.Fast()))
	request := func(version int, typ, rideID, attempt string) string {
		return fmt.Sprintf(`{"id":"e1","type":%q,"version":%d,"at":"2026-11-27T10:00:00Z","data":{"ride_id":%q,"attempt":%s}}`, typ, version, rideID, attempt)
	}
	const nobody = "01940000-0000-7000-8000-0000000000ff"
	poison := map[string]string{
		"this is no JSON": "invalid character",
		" ":               "unexpected end of JSON",
		"7":               "cannot unmarshal number",
		"[]":              "cannot unmarshal array",
		"{}":              "version 0",
		request(9, event.TypeRideRequest, r.ID, "1"):                       "version 9",
		request(1, event.TypeRideAssigned, r.ID, "1"):                      "a ride.assigned is not a ride request",
		request(1, "", r.ID, "1"):                                          "needs an id and a type",
		request(1, event.TypeRideRequest, "7", "1"):                        `ride "7"`,
		request(1, event.TypeRideRequest, r.ID, "0"):                       "attempt 0",
		request(1, event.TypeRideRequest, r.ID, "-3"):                      "attempt -3",
		request(1, event.TypeRideRequest, r.ID, "1e40"):                    "cannot unmarshal number 1e40",
		request(1, event.TypeRideRequest, r.ID, `"one"`):                   "cannot unmarshal string",
		request(1, event.TypeRideRequest, nobody, "1"):                     ride.ErrNotFound.Error(),
		request(1, event.TypeRideRequest, r.ID, "2"):                       ride.ErrAhead.Error(),
		`{"id":"e1","type":"ride.request","version":1,"data":[1]}`:         "cannot unmarshal array",
		`{"id":"e1","type":"ride.request","version":1}`:                    "unexpected end of JSON",
		`{"id":{},"type":"ride.request","version":1,"data":{"attempt":1}}`: "cannot unmarshal object",
	}

	queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueRideRequests)})
	require.NoError(t, err)
	for body := range poison {
		_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: &body})
		require.NoError(t, err)
	}
	startWorker(t, dispatch.Config{DatabaseURL: database, AWS: where, Auth: signer, NearbyURL: nearby.URL})

	listed := func(want int) (l deadletter.Listing) {
		t.Helper()
		require.Eventually(t, func() bool {
			l, err = tool.List(t.Context(), event.QueueRideRequestsDead)
			return err == nil && len(l.Letters) == want
		}, patience, look)
		return l
	}
	letters := listed(len(poison)).Letters
	for _, x := range letters {
		d, err := tool.Show(t.Context(), x.Place, x.ID)
		require.NoError(t, err)
		require.Contains(t, poison, d.Body)
		require.Contains(t, x.Reason, poison[d.Body], d.Body)
		require.Contains(t, x.Advice, "a redrive brings it back, discard it", d.Body)
	}

	// No worker can read it this time either; and what is discarded is gone.
	_, err = tool.Redrive(t.Context(), letters[0].Place, letters[0].ID, deadletter.By{Who: "ops", Why: "perhaps now"})
	require.NoError(t, err)
	listed(len(poison))
	_, err = tool.Discard(t.Context(), letters[1].Place, letters[1].ID, deadletter.By{Who: "ops", Why: "noise"})
	require.NoError(t, err)
	listed(len(poison) - 1)

	acts, err := tool.Acts(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Len(t, acts, 2)
	for i, act := range []string{deadletter.ActDiscard, deadletter.ActRedrive} {
		require.Equal(t, []string{act, "done", letters[1-i].Reason}, []string{acts[i].Act, acts[i].Outcome, acts[i].Reason})
	}
}
