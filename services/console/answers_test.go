package console

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	rides "tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
	"tandem/services/test/apitest"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
	"tandem/services/tools/reader"
)

// TestTheDescribedAnswersHappen provokes what docs/openapi.yaml says of the console's
// routes, on a real Postgres and the emulator. Rita's ride has the driver dan.
func TestTheDescribedAnswersHappen(t *testing.T) {
	t.Parallel()
	signer := testSigner(t)
	db, pool := testenv.Database(t, append(rides.Schemas(), deadletter.Schema(), groups())...)
	where := testenv.Emulator(t)
	dead, done, err := deadletter.Open(t.Context(), deadletter.Config{DatabaseURL: db, AWS: where})
	require.NoError(t, err)
	t.Cleanup(done)
	readers, done, err := reader.Open(t.Context(), db, where, nil)
	require.NoError(t, err)
	t.Cleanup(done)
	shard, records := stuckReaders(t, pool, where, "heatmap", "another")
	aws, err := awsclient.New(t.Context(), where)
	require.NoError(t, err)
	client := sqs.NewFromConfig(aws)

	const ride = "01990a3e-5c1b-7c3a-9d57-0a4f6c2b1e88"
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch path := strings.TrimPrefix(r.URL.Path, "/v1/rides/"+ride); {
		case path == "":
			_, _ = fmt.Fprint(w, `{"rider_id":"rita","driver_id":"dan","assigned_at":"2026-11-27T10:00:00Z"}`)
		case path == "/events":
			_, _ = fmt.Fprint(w, `{"events":[],"next":0}`)
		case r.URL.Path == "/v1/seen":
			_, _ = fmt.Fprint(w, `{"seen":[{"seq":5,"shard":"s","sequence_number":"49","arrived_at":1,"applied_at":2}]}`)
		default:
			httpserver.WriteProblem(w, problem.New(problem.NotFound, "There is no such ride."))
		}
	}))
	t.Cleanup(behind.Close)

	cfg := Config{Auth: signer, AWS: where, KillWorkers: true, StreamRetention: time.Hour, Queues: []string{"ride-requests", "ride-requests-dlq"},
		Peers: []Peer{{"mapfeed", behind.URL}, {"history", behind.URL}, {"booking", behind.URL}}}
	gather := newGatherer(cfg, client, signer)
	s := &service{
		cfg: cfg, gather: gather, summary: newSummaries(gather, newRetention(kinesis.NewFromConfig(aws), time.Now)), log: slog.New(slog.DiscardHandler),
		booking: httpclient.ForService(behind.URL, signer, serviceName), inside: newInside(where.Endpoint), region: aws.Region, dead: dead, readers: readers,
	}
	api := apitest.Serve(t, signer, s.routes())

	url, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: new("ride-requests-dlq")})
	require.NoError(t, err)
	poison := func() string {
		out, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: new("not json")})
		require.NoError(t, err)
		return *out.MessageId
	}
	acts := func() any {
		var n int
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM operations.acts`).Scan(&n))
		return n
	}

	rita, rob, ana := auth.Identity{Role: auth.Rider, Subject: "rita"}, auth.Identity{Role: auth.Rider, Subject: "rob"}, auth.Identity{Role: auth.Admin, Subject: "ana"}
	dan, dora := auth.Identity{Role: auth.Driver, Subject: "dan"}, auth.Identity{Role: auth.Driver, Subject: "dora"}
	const why, all, queue = `{"why":"a test message"}`, `{"rate":1,"why":"it is mended"}`, "/v1/dead-letters/ride-requests-dlq/"
	const heatmap = "/v1/readers/heatmap/"
	shards := fmt.Sprintf(`{"why":"the disk is full","shards":["%s"]}`, shard)
	back := fmt.Sprintf(`{"why":"mended","shards":["%s"],"to":"%s"}`, shard, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
	record := fmt.Sprintf(`{"why":"no row takes it","shards":["%s"],"record":"%s"}`, shard, records[0])
	api.RefusesWrongInput(t, []apitest.Request{
		{Op: "rideStream", Who: rita, Path: "/v1/rides/" + ride + "/stream"},
		{Op: "rideQueue", Who: rita, Path: "/v1/rides/" + ride + "/queue"},
		{Op: "redrive", Who: ana, Body: why}, {Op: "discard", Who: ana, Body: why},
		{Op: "redriveAll", Who: ana, Body: all}, {Op: "cancelRedrive", Who: ana, Body: why},
		{Op: "acts", Who: ana, Path: "/v1/operations/acts"},
		{Op: "pauseReader", Who: ana, Path: heatmap + "pause", Body: shards}, {Op: "resumeReader", Who: ana, Path: heatmap + "resume", Body: shards},
		{Op: "seekReader", Who: ana, Path: heatmap + "seek", Body: back},
		{Op: "parkRecord", Who: ana, Path: heatmap + "park", Body: record}, {Op: "skipRecord", Who: ana, Path: heatmap + "skip", Body: record},
	}, acts)

	var requests []apitest.Request
	add := func(op string, who auth.Identity, status int, path, body string) {
		requests = append(requests, apitest.Request{Op: op, Who: who, Status: status, Path: path, Body: body})
	}
	for op, path := range map[string]string{"rideStream": "/stream", "rideWorker": "/worker", "rideQueue": "/queue"} {
		for who, status := range map[auth.Identity]int{rita: 200, dan: 200, ana: 200, rob: 404, dora: 404} {
			add(op, who, status, "/v1/rides/"+ride+path, "")
		}
	}
	add("rideStream", rita, 400, "/v1/rides/"+ride+"/stream?after=-1", "")
	add("rideQueue", rita, 400, "/v1/rides/"+ride+"/queue?message="+strings.Repeat("x", 201), "")
	add("killWorker", ana, 409, "/v1/rides/"+ride+"/worker/kill", "")
	add("summary", rita, 200, "", "")
	add("overview", ana, 200, "", "")

	add("deadLetters", ana, 200, "", "")
	add("acts", ana, 200, "", "")
	first, second := poison(), poison()
	add("deadLetters", ana, 200, "", "")
	add("deadLetter", ana, 200, queue+first, "")
	add("deadLetter", ana, 404, queue+apitest.Nobodys, "")
	add("discard", ana, 400, queue+first+"/discard", `{}`)
	add("redrive", ana, 400, queue+first+"/redrive", `{"by":"bob"}`)
	add("discard", ana, 200, queue+first+"/discard", why)
	add("discard", ana, 404, queue+first+"/discard", why)
	add("redrive", ana, 200, queue+second+"/redrive", why)
	add("redrive", ana, 404, "/v1/dead-letters/ride-requests/"+first+"/redrive", why)
	add("redriveAll", ana, 400, "", `{"rate":0}`)
	add("redriveAll", ana, 404, "/v1/dead-letters/outbox/redrive", all)
	add("cancelRedrive", ana, 400, "", `{"why":7}`)
	add("cancelRedrive", ana, 404, "/v1/dead-letters/outbox/redrive/cancel", why)
	add("cancelRedrive", ana, 409, "", why)

	requests = append(requests, apitest.Request{Op: "redriveAll", Who: ana, Status: 200, Body: all, Before: func(*apitest.Request) {
		for range 20 { // so many that it is still under way
			poison()
		}
	}})
	add("redriveAll", ana, 409, "", all)
	add("redrive", ana, 409, queue+first+"/redrive", why)
	add("discard", ana, 409, queue+first+"/discard", why)
	add("deadLetter", ana, 409, queue+first, "")
	add("deadLetters", ana, 200, "", "")
	add("cancelRedrive", ana, 200, "", why)
	add("acts", ana, 200, "/v1/operations/acts?limit=2", "")
	add("acts", ana, 400, "/v1/operations/acts?limit=0", "")

	add("readers", ana, 200, "", "")
	for op, body := range map[string]string{"pauseReader": shards, "resumeReader": shards, "seekReader": back, "parkRecord": record, "skipRecord": record} {
		add(op, ana, 400, heatmap+strings.TrimSuffix(strings.TrimSuffix(op, "Reader"), "Record"), `{"by":"bob"}`)
		add(op, ana, 404, "", body)
	}
	for _, r := range []apitest.Request{
		{Op: "resumeReader", Status: 409, Body: shards}, {Op: "pauseReader", Status: 200, Body: shards}, {Op: "pauseReader", Status: 409, Body: `{}`},
		{Op: "resumeReader", Status: 200, Body: `{}`}, {Op: "seekReader", Status: 200, Body: back},
		{Op: "seekReader", Status: 409, Path: "/v1/readers/another/seek", Body: back},
		{Op: "parkRecord", Status: 409, Body: record}, // a seek knows of none
		{Op: "parkRecord", Status: 200, Body: record, Before: func(*apitest.Request) { standAt(t, pool, records[0]) }},
		{Op: "skipRecord", Status: 409, Body: record},
		{Op: "skipRecord", Status: 200, Body: strings.Replace(record, records[0], reader.Parked, 1)},
	} {
		name := strings.TrimSuffix(strings.TrimSuffix(r.Op, "Reader"), "Record")
		r.Who, r.Path = ana, cmp.Or(r.Path, heatmap+name)
		requests = append(requests, r)
	}

	api.Provoke(t, requests, map[string]string{
		"killWorker 200": "kill_test.go kills a process, and holds the answer against its schema",
		"429":            "httpserver's tests have the limits", "503": "httpserver's tests and tools/deadletter's take dependencies away",
	})
}
