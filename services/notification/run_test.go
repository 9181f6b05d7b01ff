package notification_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/notification"
	"tandem/services/test/testenv"
)

const patience, look = 20 * time.Second, 20 * time.Millisecond

// serve runs the service until the test ends, and returns where it listens and who
// signs its tokens.
func serve(t *testing.T, cfg notification.Config) (net.Addr, *auth.Signer) {
	t.Helper()
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	cfg.Auth = signer
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	env := lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	go func() { ended <- notification.Run(ctx, env, cfg) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-ended) })
	return l.Addr(), signer
}

// TestFromTheQueueToInboxAndPhone runs the process against Postgres and the
// emulator: a rider verifies a number, every message comes three times, is read once in the right order,
// and is sent to the phone once.
func TestFromTheQueueToInboxAndPhone(t *testing.T) {
	t.Parallel()
	url, _ := testenv.Database(t, notification.Schema())
	cfg := testenv.Emulator(t)
	sdk, err := awsclient.New(t.Context(), cfg)
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)

	at, signer := serve(t, notification.Config{DatabaseURL: url, AWS: cfg, Profile: profile.Fast()})

	texts := func() []text {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, cfg.Endpoint+"/_aws/sns/sms-messages", nil)
		require.NoError(t, err)
		var sms struct {
			Messages map[string][]text `json:"sms_messages"`
		}
		require.NoError(t, json.Unmarshal([]byte(do(t, req)), &sms))
		return sms.Messages["+59899123456"]
	}

	call := func(method, path, body string) string {
		token, err := signer.Sign(auth.Identity{Subject: "rita", Role: auth.Rider}, time.Minute)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+at.String()+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		return do(t, req)
	}

	call(http.MethodPut, "/v1/contact", `{"phone":"+59899123456","language":"es"}`)
	call(http.MethodPost, "/v1/contact/code", "")
	require.Len(t, texts(), 1)
	code := regexp.MustCompile(`[0-9]{6}`).FindString(texts()[0].Message)
	require.Contains(t, call(http.MethodPost, "/v1/contact/verify", `{"code":"`+code+`"}`), `"verified":true`)

	queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueNotifications)})
	require.NoError(t, err)
	rideID := uuid.Must(uuid.NewV7()).String()
	for _, typ := range []string{event.TypeRideAssigned, event.TypeRideArrived, event.TypeRidePickedUp, event.TypeRideCompleted} {
		e, err := event.New(uuid.Must(uuid.NewV7()).String(), typ, time.Now(), event.RideNotice{RideID: rideID, RiderID: "rita"})
		require.NoError(t, err)
		body, err := json.Marshal(e)
		require.NoError(t, err)
		for range 3 { // as a relay that loses answers would, past the queue's own five minutes
			_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{
				QueueUrl: queue.QueueUrl, MessageBody: aws.String(string(body)), MessageGroupId: &rideID, MessageDeduplicationId: aws.String(uuid.NewString()),
			})
			require.NoError(t, err)
		}
	}

	require.Eventually(t, func() bool {
		out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}})
		return err == nil && out.Attributes["ApproximateNumberOfMessages"] == "0" && out.Attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
	}, patience, look)

	var inbox struct{ Messages []struct{ Kind, Text string } }
	require.NoError(t, json.Unmarshal([]byte(call(http.MethodGet, "/v1/inbox", "")), &inbox))
	var kinds []string
	for _, m := range inbox.Messages {
		kinds = append(kinds, m.Kind)
	}
	require.Equal(t, []string{"assigned", "arrived", "picked_up", "completed"}, kinds)

	require.Len(t, texts(), 1+4, "the code, and each event once")
}

type text struct{ Message string }

func do(t *testing.T, req *http.Request) string {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Less(t, resp.StatusCode, http.StatusMultipleChoices, string(b))
	return string(b)
}

// A rate below 0 would never let a second text go.
func TestTheRateOfTextsIsChecked(t *testing.T) {
	for _, rate := range []float64{-1, math.NaN()} {
		require.ErrorContains(t, notification.Run(t.Context(), lifecycle.Env{}, notification.Config{TextsPerSecond: rate}), "texts a second")
	}
}
