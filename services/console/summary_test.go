package console

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/test/testenv"
)

// fakeStream keeps for as long as it is told.
type fakeStream struct{ hours int32 }

func (f *fakeStream) DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	out := &kinesis.DescribeStreamSummaryOutput{}
	raw := fmt.Sprintf(`{"StreamDescriptionSummary":{"RetentionPeriodHours":%d}}`, f.hours)
	return out, json.Unmarshal([]byte(raw), out)
}

// peersOf serves what processes say of themselves, by the first part of the path.
func peersOf(t *testing.T, answers map[string]func() any, names ...string) []Peer {
	t.Helper()
	mux := http.NewServeMux()
	for path, answer := range answers {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(answer())
		})
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)

	var out []Peer
	for _, name := range names {
		out = append(out, Peer{Name: name, URL: srv.URL + "/" + name})
	}
	return out
}

func status(pid int, detail any) func() any {
	return func() any { return map[string]any{"service": "x", "pid": pid, "detail": detail} }
}

// The real queue and the real stream say the same to the SDK and to the summary.
func TestTheSummaryIsWhatQueueAndStreamSay(t *testing.T) {
	sdkConfig, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	queues, stream := sqs.NewFromConfig(sdkConfig), kinesis.NewFromConfig(sdkConfig)

	// Three messages, of which one is in somebody's hands.
	url, err := queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueRideRequests)})
	require.NoError(t, err)
	for range 3 {
		_, err := queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: aws.String("x")})
		require.NoError(t, err)
	}
	_, err = queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, MaxNumberOfMessages: 1, VisibilityTimeout: 60})
	require.NoError(t, err)
	_, err = stream.IncreaseStreamRetentionPeriod(t.Context(), &kinesis.IncreaseStreamRetentionPeriodInput{StreamName: aws.String(event.Stream), RetentionPeriodHours: aws.Int32(48)})
	require.NoError(t, err)

	live, err := points.NewLive(points.LiveOptions{
		Name: "nearby", Client: stream, Back: time.Minute, PollEvery: 300 * time.Millisecond, Log: slog.New(slog.DiscardHandler), Apply: func(event.Point, time.Time) {},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	read := make(chan error, 1)
	go func() { read <- live.Run(ctx) }()
	defer func() {
		cancel()
		require.NoError(t, <-read)
	}()

	// So many points on each shard: the shards are told from each other by their number.
	shards, err := stream.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(event.Stream)})
	require.NoError(t, err)
	want := map[string]int{}
	put := func() {
		for i, s := range shards.Shards {
			for n := range i + 1 {
				driver := fmt.Sprint(i, "-", n)
				data, err := event.Point{Driver: driver, Seq: time.Now().UnixMilli(), Lat: -34.9, Lon: -56.2}.Encode()
				require.NoError(t, err)
				out, err := stream.PutRecord(t.Context(), &kinesis.PutRecordInput{
					StreamName: aws.String(event.Stream), Data: data, PartitionKey: &driver, ExplicitHashKey: s.HashKeyRange.StartingHashKey,
				})
				require.NoError(t, err)
				want[*out.ShardId]++
			}
		}
	}
	put()

	answers := map[string]func() any{
		"/nearby/v1/status":     status(os.Getpid(), map[string]any{"reader": "nearby", "shards": []any{}}),
		"/nearby/v1/arrivals":   func() any { return live.Arrivals() },
		"/dispatch-1/v1/status": status(4711, map[string]any{"worker": "dispatch-1", "handling": 1, "may_hold": 5, "deleted_at": []int64{time.Now().UnixMilli() - 2000}}),
	}
	g := newGatherer(Config{Queues: []string{event.QueueRideRequests}, Peers: peersOf(t, answers, "nearby", "dispatch-1")}, queues, testSigner(t))
	summary := newSummaries(g, newRetention(stream, time.Now))

	counted := func(s Summary) map[string]int {
		out := map[string]int{}
		for _, shard := range s.Stream.Shards {
			for _, n := range shard.Bins {
				out[shard.Shard] += n
			}
		}
		return out
	}
	var s Summary
	require.Eventually(t, func() bool {
		s = summary.now(t.Context())
		got := counted(s)
		for shard, n := range want {
			if got[shard] != n {
				return false
			}
		}
		return true
	}, 5*time.Second, 50*time.Millisecond, "each shard has its own points")
	require.Len(t, want, len(shards.Shards))
	require.Equal(t, 10, *s.Stream.Drivers, "each shard's drivers are others")

	attributes, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{"All"}})
	require.NoError(t, err)
	require.Equal(t, attributes.Attributes["ApproximateNumberOfMessages"], fmt.Sprint(*s.Queue.Waiting))
	require.Equal(t, attributes.Attributes["ApproximateNumberOfMessagesNotVisible"], fmt.Sprint(*s.Queue.InFlight))
	require.Equal(t, "1", fmt.Sprint(*s.Queue.InFlight))
	require.Equal(t, 48, *s.Stream.RetentionHours)
	require.Equal(t, [3]int{4711, 1, 5}, [3]int{*s.Workers[0].PID, *s.Workers[0].Held, *s.Workers[0].MayHold})
	require.Len(t, s.DeletedMSAgo, 1)

	// What comes later is counted later: no number stands still.
	before := counted(s)
	put()
	require.Eventually(t, func() bool {
		return counted(summary.now(t.Context()))["shardId-000000000003"] > before["shardId-000000000003"]
	}, 5*time.Second, 50*time.Millisecond)
	_, err = queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: aws.String("x")})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return *summary.now(t.Context()).Queue.Waiting == 3 }, 5*time.Second, 50*time.Millisecond)
}

// However many ask, the parts are asked once a second.
func TestOneSummaryASecondForAll(t *testing.T) {
	queues := &fakeQueues{}
	g := newGatherer(Config{Queues: []string{event.QueueRideRequests}}, queues, testSigner(t))
	now := time.Now()
	g.now = func() time.Time { return now }
	s := newSummaries(g, newRetention(&fakeStream{24}, g.now))

	for range 100 {
		now = now.Add(9 * time.Millisecond)
		s.now(t.Context())
	}
	require.Equal(t, int64(1), queues.calls.Load())
	first := s.now(t.Context())

	now = now.Add(time.Second)
	second := s.now(t.Context())
	require.Equal(t, int64(2), queues.calls.Load())
	require.Equal(t, now.UTC(), second.GatheredAt)
	require.True(t, second.GatheredAt.After(first.GatheredAt))
}

func TestWhatNobodyHasSaidIsNull(t *testing.T) {
	peers := []Peer{{"nearby", "http://127.0.0.1:1"}, {"dispatch-1", "http://127.0.0.1:1"}, {"history", "http://127.0.0.1:1"}, {"booking", "http://127.0.0.1:1"}}
	g := newGatherer(Config{Queues: []string{"missing"}, Peers: peers}, &fakeQueues{}, testSigner(t))
	raw, err := json.Marshal(newSummaries(g, newRetention(&fakeStream{24}, time.Now)).now(t.Context()))
	require.NoError(t, err)

	var got map[string]any
	require.NoError(t, json.Unmarshal(raw, &got))
	require.Equal(t, map[string]any{"heard_at": nil, "waiting": nil, "in_flight": nil}, got["queue"])
	require.Equal(t, []any{map[string]any{"name": "dispatch-1", "heard_at": nil, "pid": nil, "held": nil, "may_hold": nil}}, got["workers"])
	require.Nil(t, got["deleted_ms_ago"])
	require.Nil(t, got["rides"])
	stream := got["stream"].(map[string]any)
	require.Nil(t, stream["points_per_s"])
	require.Nil(t, stream["drivers"])
	require.Empty(t, stream["shards"])
	require.Equal(t, map[string]any{"reader": "history", "heard_at": nil, "behind_ms": nil}, stream["readers"].([]any)[0])
}

// Anybody may ask; so there is nothing in it of anybody, and nobody asks without end.
func TestTheSummaryIsPublicAndTellsOfNobody(t *testing.T) {
	answers := map[string]func() any{
		"/dispatch-1/v1/status": status(4711, map[string]any{"worker": "dispatch-1", "handling": 1, "ride_id": "secret-ride"}),
		"/booking/v1/status":    status(1, map[string]any{"at": time.Now(), "per_minute": 14, "by_state": map[string]int{"secret-state": 1}}),
		"/history/v1/status":    status(1, map[string]any{"reader": "history", "shards": []any{map[string]any{"shard": "s0", "behind_ms": 70, "sequence": "secret-sequence", "error": "secret-error"}}}),
	}
	cfg := Config{
		Auth: testSigner(t), Queues: []string{event.QueueRideRequests, "missing"}, Peers: peersOf(t, answers, "dispatch-1", "booking", "history"),
		AWS: awsclient.Config{Endpoint: "http://127.0.0.1:4566"},
	}
	g := newGatherer(cfg, &fakeQueues{}, cfg.Auth)
	s := &service{cfg: cfg, gather: g, summary: newSummaries(g, newRetention(&fakeStream{24}, time.Now)), region: "us-east-1"}
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "console", Auth: cfg.Auth, Routes: s.routes(), Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)
	token, err := cfg.Auth.Sign(auth.Identity{Subject: "viewer", Role: auth.Viewer}, time.Minute)
	require.NoError(t, err)

	statuses := map[int]int{}
	for range 150 {
		req := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/summary", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		statuses[rec.Code]++
		if rec.Code == 200 {
			require.NotContains(t, rec.Body.String(), "secret")
			require.Contains(t, rec.Body.String(), `"per_minute":14`)
			require.Contains(t, rec.Body.String(), `"behind_ms":70`)
			require.Contains(t, rec.Body.String(), `"endpoint":"http://127.0.0.1:4566","region":"us-east-1"`)
		}
	}
	require.GreaterOrEqual(t, statuses[200], 100)
	require.Positive(t, statuses[429], "there is an end to it")
}

func TestARateIsOfWholeBinsThatAreRead(t *testing.T) {
	bins := make([]int, points.ArrivalsFor/points.BinLength)
	for i := range bins {
		bins[i] = 2
	}
	end := int64(1_800_000_000_000)
	a := points.Arrivals{BinMS: 50, End: end, Shards: []points.ShardArrivals{{Through: end, Bins: bins}, {Through: end - 1020, Bins: bins}}}
	require.InDelta(t, 80, *perSecond(a), 0, "2 points in 50 ms on each of two shards")

	for i := range a.Shards {
		a.Shards[i].Through = end - 2500
	}
	require.Nil(t, perSecond(a), "four seconds are not known any more")
	a.Shards[0].Through = end
	require.NotNil(t, perSecond(a), "an idle shard says seldom that it has nothing")
	a.Shards[1].Through = end - 6001
	require.Nil(t, perSecond(a), "a shard is not read")
	a.Shards[1].Through = 0
	require.Nil(t, perSecond(a))
	require.Nil(t, perSecond(points.Arrivals{BinMS: 50}))
}

func TestAReaderIsAsFarBehindAsItsWorstProcess(t *testing.T) {
	at, before := time.UnixMilli(2000), time.UnixMilli(1000)
	row := func(name string, heard *time.Time, behind *int64) Reader {
		return Reader{Reader: name, HeardAt: heard, Lag: Lag{BehindMS: behind}}
	}
	got := publicReaders([]Reader{
		row("nearby", &at, aws.Int64(3)), row("history-1", &at, aws.Int64(70)), row("history-2", &before, aws.Int64(20)), row("heatmap", nil, nil), row("heatmap-2", &at, aws.Int64(1)),
	})
	require.Equal(t, []SummaryReader{{"heatmap", nil, nil}, {"history", &before, aws.Int64(70)}, {"nearby", &at, aws.Int64(3)}}, got)
}

// One that polls is at the tip for a moment only.
func TestAReaderIsAsFarBehindAsItUsuallyIs(t *testing.T) {
	state := &ReaderState{Latency: &points.Latency{P50: 460}}
	got := publicReaders([]Reader{
		{Reader: "heatmap", ReaderState: state, Lag: Lag{BehindMS: aws.Int64(0)}}, {Reader: "history", ReaderState: state, Lag: Lag{BehindMS: aws.Int64(9000)}},
		{Reader: "nearby", ReaderState: state},
	})
	require.Equal(t, []SummaryReader{{"heatmap", nil, aws.Int64(460)}, {"history", nil, aws.Int64(9000)}, {"nearby", nil, nil}}, got)
}

// A worker that was killed does not bring back what it had deleted.
func TestDeletesOutliveTheirWorker(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	worker := func(pid int, at ...int64) Worker {
		return Worker{Name: "dispatch-1", PID: pid, WorkerCounts: &WorkerCounts{DeletedAt: append([]int64{}, at...)}}
	}
	d := deletes{}
	require.Nil(t, d.ages([]Worker{{Name: "dispatch-1"}}, now), "nobody has said")
	require.Equal(t, []int64{}, d.ages([]Worker{worker(1)}, now))

	require.Equal(t, []int64{1000, 1000, 2000}, d.ages([]Worker{worker(1, ago(2*time.Second), ago(time.Second), ago(time.Second))}, now))
	require.Equal(t, []int64{0, 1000, 1000, 2000}, d.ages([]Worker{worker(2, ago(0))}, now), "another process has its name")

	now = now.Add(deletedFor + time.Second)
	require.Empty(t, d.ages([]Worker{worker(2)}, now))
	require.Len(t, d, 1, "what is old is forgotten")
}
