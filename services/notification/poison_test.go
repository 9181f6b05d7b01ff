package notification_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/awsclient"
	"tandem/services/notification"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
)

// TestPoison sends the worker what it cannot handle: each is a dead letter with its
// reason at once, in its ride's group, and a person redrives and discards.
func TestPoison(t *testing.T) {
	t.Parallel()
	database, _ := testenv.Database(t, append(ride.Schemas(), notification.Schema(), deadletter.Schema())...)
	where := testenv.Emulator(t)
	sdk, err := awsclient.New(t.Context(), where)
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)
	tool, done, err := deadletter.Open(t.Context(), deadletter.Config{DatabaseURL: database, AWS: where})
	require.NoError(t, err)
	t.Cleanup(done)

	notice := func(id, typ, rideID, riderID string) string {
		return fmt.Sprintf(`{"id":%q,"type":%q,"version":1,"at":"2026-11-27T10:00:00Z","data":{"ride_id":%q,"rider_id":%q}}`, id, typ, rideID, riderID)
	}
	id := uuid.NewString()
	poison := map[string]string{
		"this is no JSON": "invalid character",
		" ":               "unexpected end of JSON",
		"[]":              "cannot unmarshal array",
		`{"id":"e1","type":"ride.arrived","version":2,"data":{}}`: "version 2",
		`{"id":"e1","type":"ride.arrived","version":1,"data":7}`:  "cannot unmarshal number",
		`{"id":"e1","type":"ride.arrived","version":1}`:           "unexpected end of JSON",
		notice(id, event.TypeRideRequest, id, "rita"):             "unknown event type",
		notice(id, event.TypeRideArrived, id, ""):                 "an id is missing",
		notice(id, event.TypeRideArrived, "7", "rita"):            `ride "7"`,
		notice("e1", event.TypeRideArrived, id, "rita"):           `"e1"`,
	}

	queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueNotifications)})
	require.NoError(t, err)
	groups := map[string]string{}
	for body := range poison {
		groups[body] = uuid.NewString()
		_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: queue.QueueUrl, MessageBody: &body, MessageGroupId: aws.String(groups[body]), MessageDeduplicationId: aws.String(uuid.NewString()),
		})
		require.NoError(t, err)
	}
	serve(t, notification.Config{DatabaseURL: database, AWS: where, Profile: profile.Fast()})

	listed := func(want int) (l deadletter.Listing) {
		t.Helper()
		require.Eventually(t, func() bool {
			l, err = tool.List(t.Context(), event.QueueNotificationsDead)
			return err == nil && len(l.Letters) == want
		}, patience, look)
		return l
	}
	letters := listed(len(poison)).Letters
	for _, x := range letters {
		d, err := tool.Show(t.Context(), x.Place, x.ID)
		require.NoError(t, err)
		require.Contains(t, x.Reason, poison[d.Body], d.Body)
		require.Equal(t, groups[d.Body], x.Group)
	}

	_, err = tool.Redrive(t.Context(), letters[0].Place, letters[0].ID, deadletter.By{Who: "ops"})
	require.NoError(t, err)
	listed(len(poison))
	_, err = tool.Discard(t.Context(), letters[1].Place, letters[1].ID, deadletter.By{Who: "ops", Why: "noise"})
	require.NoError(t, err)
	listed(len(poison) - 1)
}
