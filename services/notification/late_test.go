package notification_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/postgres"
	"tandem/services/notification"
	"tandem/services/test/testenv"
)

// Three receives lose their answers: the message is in flight, and nobody has it. It
// comes again when its visibility ends, which for work of a second is short: with a
// ride request's 30 s, the rider read the notice after 90 s.
func TestALostAnswerDoesNotDelayANoticeForLong(t *testing.T) {
	t.Parallel()
	const lost, within = 3, 50 * time.Second
	url, _ := testenv.Database(t, notification.Schema())
	cfg := testenv.Emulator(t, func(c *emulator.Config) { c.Faults = true })

	rule := `[{"operation":"ReceiveMessage","kind":"lost_answer","resource":"` + event.QueueNotifications + `","count":3}]`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, cfg.Endpoint+"/_aws/faults", strings.NewReader(rule))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	do(t, req)

	// Sent before the service runs, so that its first receive has it.
	sdk, err := awsclient.New(t.Context(), cfg)
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)
	queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueNotifications)})
	require.NoError(t, err)
	notice := event.RideNotice{RideID: uuid.Must(uuid.NewV7()).String(), RiderID: "rita"}
	e, err := event.New(uuid.Must(uuid.NewV7()).String(), event.TypeRideAssigned, time.Now(), notice)
	require.NoError(t, err)
	body, err := json.Marshal(e)
	require.NoError(t, err)
	_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: queue.QueueUrl, MessageBody: aws.String(string(body)), MessageGroupId: &notice.RideID, MessageDeduplicationId: &e.ID,
	})
	require.NoError(t, err)

	serve(t, notification.Config{DatabaseURL: url, AWS: cfg, Profile: profile.Default()})

	pool, err := postgres.Open(t.Context(), url, postgres.PoolOptions{App: "test"})
	require.NoError(t, err)
	defer pool.Close()
	began := time.Now()
	require.Eventually(t, func() bool {
		var n int
		return pool.QueryRow(t.Context(), `SELECT count(*) FROM notification.inbox`).Scan(&n) == nil && n == 1
	}, within, look)
	t.Logf("read after %v and %d lost answers", time.Since(began).Round(time.Millisecond), lost)

	var rules []struct{ Hits int }
	req, err = http.NewRequestWithContext(t.Context(), http.MethodGet, cfg.Endpoint+"/_aws/faults", nil)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(do(t, req)), &rules))
	require.Equal(t, lost, rules[0].Hits)
}
