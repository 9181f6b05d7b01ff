package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

func TestJudgeNamesTheMostUrgentTrouble(t *testing.T) {
	well := Overview{
		Queues:   []Queue{{Name: "ride-requests"}, {Name: "ride-requests-dlq", Dead: true}},
		Readers:  []Reader{{Reader: "mapfeed", Latency: points.Latency{P50: 120}}, {Reader: "history", Latency: points.Latency{P50: 380}}},
		Rides:    Rides{PerMinute: 14},
		Services: []Service{{Name: "booking", OK: true}},
	}

	cases := []struct {
		name   string
		change func(*Overview)
		ok     bool
		want   string
	}{
		{"well", func(*Overview) {}, true, "All well: 14 rides/min, nothing waits, slowest reader history at 380 ms"},
		{"one waits", func(o *Overview) { o.Queues[0].Visible = 1 }, true, "1 message waiting"},
		{"service down", func(o *Overview) { o.Services[0].OK = false }, false, "booking does not answer"},
		{"dead letter", func(o *Overview) { o.Queues[1].Visible = 1 }, false, "1 dead letter in ride-requests-dlq"},
		{"backlog", func(o *Overview) { o.Queues[0].Visible = 51 }, false, "51 messages wait in ride-requests"},
		{"queue gone", func(o *Overview) { o.Queues[0].Error = "it cannot be found" }, false, "ride-requests cannot be looked at"},
		{"not ready", func(o *Overview) {
			o.Services[0].NotReady = map[string]string{"queue": "queue q does not exist: deploy it"}
		}, false,
			"booking is not ready: queue q does not exist: deploy it."},
		{"lag", func(o *Overview) { o.Readers[1].BehindMS = 12_000 }, false, "history is 12s behind"},
		{"parked", func(o *Overview) { o.Readers[1].Parked = 2 }, false, "set 2 records aside"},
	}

	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			raw, err := json.Marshal(well)
			require.NoError(t, err)
			var o Overview
			require.NoError(t, json.Unmarshal(raw, &o))
			tc.change(&o)
			ok, sentence := judge(o)
			require.Equal(t, tc.ok, ok)
			require.Contains(t, sentence, tc.want)
		})
	}
}

func TestNewestEverywherePicksAPointThatAllHaveSeen(t *testing.T) {
	at := func(seqs ...int64) (out []points.Seen) {
		for _, s := range seqs {
			out = append(out, points.Seen{Seq: s, Shard: "shard-1", ArrivedAt: 1000 * s, AppliedAt: 1000*s + 40})
		}
		return out
	}
	trace := newestEverywhere("d1", map[string][]points.Seen{"mapfeed": at(9, 8, 7), "history": at(8, 7, 6), "heatmap": at(7, 6, 5)})
	require.Equal(t, int64(7), trace.Point.Seq)
	require.Len(t, trace.Readers, 3)
	require.Equal(t, int64(40), trace.Readers[0].AfterMS)
	require.Nil(t, newestEverywhere("d1", nil).Point)
}

type fakeQueues struct{ calls atomic.Int64 }

func (f *fakeQueues) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	if *in.QueueName == "missing" {
		return nil, errors.New("QueueDoesNotExist")
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("http://q/" + *in.QueueName)}, nil
}

func (f *fakeQueues) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	f.calls.Add(1)
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{
		"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "2", "ApproximateNumberOfMessagesDelayed": "1",
	}}, nil
}

func testSigner(t *testing.T) *auth.Signer {
	t.Helper()
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	return signer
}

func TestOverviewGathersEveryPart(t *testing.T) {
	details := map[string]string{
		"/dispatch": `{"worker":"w","handling":2,"received":10,"done":8}`,
		"/history":  `{"points":50,"latency_ms":{"p50":12,"p99":40},"shards":[{"shard":"s0","behind_ms":70},{"shard":"s1","behind_ms":90}]}`,
		"/booking":  `{"per_minute":6,"by_state":{"assigned":2}}`,
		"/location": `{"shards":[{"shard":"s0","points_per_s":50}]}`,
	}

	peers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		detail, ok := details[strings.TrimSuffix(r.URL.Path, "/v1/status")]
		if !ok {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprintf(w, `{"service":"x","pid":42,"rss_bytes":1048576,"not_ready":{"queue":"why"},"detail":%s}`, detail)
	}))
	defer peers.Close()
	cfg := Config{Queues: []string{"ride-requests", "missing"}}
	for _, name := range []string{"dispatch-1", "history", "booking", "location", "heatmap"} {
		kind, _, _ := strings.Cut(name, "-")
		cfg.Peers = append(cfg.Peers, Peer{Name: name, URL: peers.URL + "/" + kind})
	}

	queues := &fakeQueues{}
	g := newGatherer(cfg, queues, testSigner(t))
	o := g.overview(t.Context())

	require.Equal(t, Queue{Name: "ride-requests", Visible: 3, InFlight: 2, Delayed: 1}, o.Queues[0])
	require.NotEmpty(t, o.Queues[1].Error)
	require.Equal(t, Worker{Name: "dispatch-1", OK: true, PID: 42, Handling: 2, Received: 10, Done: 8}, o.Workers[0])
	require.Equal(t, int64(90), o.Readers[0].BehindMS)
	require.InDelta(t, 12, o.Readers[0].Latency.P50, 0)
	require.Equal(t, "polling", o.Readers[0].Mode)
	require.Equal(t, "heatmap", o.Readers[1].Reader)
	require.Empty(t, o.Readers[1].Mode, "it does not answer")
	require.False(t, o.Readers[1].OK)
	require.InDelta(t, 50, o.Shards[0].PointsPerSecond, 0)
	require.Equal(t, 2, o.Rides.ByState["assigned"])
	require.False(t, o.OK)
	require.Equal(t, map[string]string{"queue": "why"}, o.Services[0].NotReady)
	require.Contains(t, o.Sentence, "heatmap does not answer")

	g.overview(t.Context())
	require.Equal(t, int64(1), queues.calls.Load(), "a second asker within the moment shares the first's answer")
}

func TestRideStreamIsForTheRidesOwnPeople(t *testing.T) {
	signer := testSigner(t)
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/rides/") {
			_, _ = fmt.Fprint(w, `{"rider_id":"r1","driver_id":"d1"}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"seen":[{"seq":5,"shard":"s","sequence_number":"49","arrived_at":%d,"applied_at":%d}]}`, time.Now().UnixMilli(), time.Now().UnixMilli()+7)
	}))
	defer behind.Close()
	cfg := Config{Auth: signer, Peers: []Peer{{"mapfeed", behind.URL}, {"history", behind.URL}}, StreamRetention: time.Hour}
	s := &service{cfg: cfg, gather: newGatherer(cfg, &fakeQueues{}, signer), booking: httpclient.ForService(behind.URL, signer, "console")}
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "console", Auth: signer, Routes: s.routes(),
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)
	for _, tc := range []struct {
		id     auth.Identity
		status int
	}{
		{auth.Identity{Subject: "r1", Role: auth.Rider}, 200}, {auth.Identity{Subject: "d1", Role: auth.Driver}, 200},
		{auth.Identity{Subject: "ops", Role: auth.Admin}, 200}, {auth.Identity{Subject: "r2", Role: auth.Rider}, 404},
		{auth.Identity{Subject: "d1", Role: auth.Rider}, 404}, {auth.Identity{Subject: "viewer", Role: auth.Viewer}, 403},
	} {
		token, err := signer.Sign(tc.id, time.Minute)
		require.NoError(t, err)
		req := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/rides/x/stream", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		require.Equal(t, tc.status, rec.Code, tc.id)
		if tc.status == 200 {
			var trace StreamTrace
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &trace))
			require.Equal(t, int64(5), trace.Point.Seq)
			require.Len(t, trace.Readers, 2)
			require.InDelta(t, 3600, trace.RetentionLeftS, 2)
		}
	}
}
