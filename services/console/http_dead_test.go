package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	rides "tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/test/apitest"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
)

// TestDeadLettersOverHTTP walks through the routes, on a real Postgres and the
// emulator, and holds each answer against docs/openapi.yaml.
func TestDeadLettersOverHTTP(t *testing.T) {
	t.Parallel()
	db, _ := testenv.Database(t, append(rides.Schemas(), deadletter.Schema())...)
	where := testenv.Emulator(t)
	dead, done, err := deadletter.Open(t.Context(), deadletter.Config{DatabaseURL: db, AWS: where})
	require.NoError(t, err)
	t.Cleanup(done)
	cfg, err := awsclient.New(t.Context(), where)
	require.NoError(t, err)
	client := sqs.NewFromConfig(cfg)

	signer := testSigner(t)
	api := apitest.Serve(t, signer, (&service{dead: dead}).routes())
	token, err := signer.Sign(auth.Identity{Subject: "ana", Role: auth.Admin}, time.Minute)
	require.NoError(t, err)

	ask := func(method, path, body string, status int) (got map[string]any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, api.Base+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := api.RoundTrip(req)
		require.NoError(t, err)
		defer func() { require.NoError(t, resp.Body.Close()) }()
		require.Equal(t, status, resp.StatusCode, "%s %s", method, path)
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&got))
		return got
	}
	url, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: new("ride-requests-dlq")})
	require.NoError(t, err)
	poison := func() string {
		out, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: new("not json")})
		require.NoError(t, err)
		return *out.MessageId
	}

	const queue = "/v1/dead-letters/ride-requests-dlq/"
	first, second := poison(), poison()
	places, _ := ask("GET", "/v1/dead-letters", "", 200)["places"].([]any)
	require.Len(t, places, 3)
	letters, _ := places[0].(map[string]any)["letters"].([]any)
	require.Len(t, letters, 2)
	require.Equal(t, "not json", ask("GET", queue+first, "", 200)["body"])

	for body, field := range map[string]string{`{}`: "why", `{"why":"x"}`: "why", `{"why":7}`: "why", `{"why":"noise","by":"bob"}`: "", ``: ""} {
		got := ask("POST", queue+first+"/discard", body, 400)
		if field != "" {
			require.Equal(t, field, got["field"], body)
		}
	}
	ask("POST", queue+first+"/discard", `{"why":"`+strings.Repeat("a", 70_000)+`"}`, 413)
	ask("POST", "/v1/dead-letters/ride-requests/"+first+"/discard", `{"why":"noise"}`, 404)
	ask("GET", queue+strings.Repeat("x", 3000), "", 404)

	act := ask("POST", queue+first+"/discard", `{"why":"noise"}`, 200)
	require.Equal(t, []any{"admin ana", true, "done"}, []any{act["who"], act["verified"], act["outcome"]})
	ask("POST", queue+first+"/discard", `{"why":"noise"}`, 404)
	ask("POST", queue+second+"/redrive", `{}`, 200)

	poison()
	for _, body := range []string{`{}`, `{"rate":0}`, `{"rate":501}`, `{"rate":"fast"}`, `{"rate":1.5}`} {
		ask("POST", "/v1/dead-letters/ride-requests-dlq/redrive", body, 400)
	}
	ask("POST", "/v1/dead-letters/outbox/redrive", `{"rate":1}`, 404)
	ask("POST", "/v1/dead-letters/ride-requests-dlq/redrive", `{"rate":1}`, 200)
	require.Eventually(t, func() bool {
		moves, err := dead.Moves(t.Context(), "ride-requests-dlq")
		return err == nil && moves[0].Status == "COMPLETED"
	}, 10*time.Second, 50*time.Millisecond)
	ask("POST", "/v1/dead-letters/ride-requests-dlq/redrive/cancel", `{}`, 409)

	page := ask("GET", "/v1/operations/acts?limit=2", "", 200)
	require.Len(t, page["acts"], 2)
	for _, query := range []string{"?limit=0", "?limit=x", "?limit=201", "?before=-1", "?before=x"} {
		ask("GET", "/v1/operations/acts"+query, "", 400)
	}
	empty, _ := ask("GET", "/v1/operations/acts?before=1", "", 200)["acts"].([]any)
	require.NotNil(t, empty)
}
