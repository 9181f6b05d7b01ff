package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
	"tandem/services/test/apitest"
)

type fakeQueues struct{ calls atomic.Int64 }

func (f *fakeQueues) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	if *in.QueueName == "missing" {
		return nil, &types.QueueDoesNotExist{}
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("http://q/" + *in.QueueName)}, nil
}

func (f *fakeQueues) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	f.calls.Add(1)
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{
		"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "2", "ApproximateNumberOfMessagesDelayed": "1",
	}}, nil
}

func TestOverviewGathersEveryPart(t *testing.T) {
	details := map[string]string{
		"/dispatch": `{"worker":"w","handling":2,"received":10,"again":1,"done":8}`,
		"/history":  `{"points":50,"latency_ms":{"p50":12,"p99":40},"shards":[{"shard":"s0","behind_ms":70},{"shard":"s1","behind_ms":90}]}`,
		"/speeding": `{"reader":"speeding","points":3,"shards":[]}`,
		"/booking":  `{"at":"2026-11-06T00:00:00Z","per_minute":6,"by_state":{"assigned":2}}`,
		"/location": `{"shards":[{"shard":"s0","points":7,"points_per_s":50},{"shard":"s1","points":1}]}`,
	}

	peers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		detail, ok := details[strings.TrimSuffix(r.URL.Path, "/v1/status")]
		if !ok {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprintf(w, `{"service":"x","pid":42,"rss_bytes":1048576,"not_ready":{"queue":"why: EOF","database":"dial tcp 10.0.0.7: EOF"},"advice":{"queue":"deploy it"},"detail":%s}`, detail)
	}))
	defer peers.Close()
	cfg := Config{Queues: []string{"ride-requests", "missing"}}
	for _, name := range []string{"dispatch-1", "history", "booking", "location", "heatmap", "speeding"} {
		cfg.Peers = append(cfg.Peers, Peer{Name: name, URL: peers.URL + "/" + kindOf(name)})
	}

	queues := &fakeQueues{}
	g := newGatherer(cfg, queues, testSigner(t))
	o := g.overview(t.Context())

	require.Equal(t, &QueueCounts{Visible: 3, InFlight: 2, Delayed: 1}, o.Queues[0].QueueCounts)
	require.Contains(t, o.Queues[1].Error, "does not exist")
	require.Nil(t, o.Queues[1].QueueCounts)
	require.Equal(t, &WorkerCounts{Handling: 2, Received: 10, Again: 1, Done: 8}, o.Workers[0].WorkerCounts)
	require.Equal(t, 42, o.Workers[0].PID)
	require.Equal(t, int64(90), *o.Readers[0].BehindMS)
	require.InDelta(t, 12, o.Readers[0].Latency.P50, 0)
	require.Equal(t, "polling", o.Readers[0].Mode)
	require.Equal(t, "heatmap", o.Readers[1].Reader)
	require.Nil(t, o.Readers[1].ReaderState, "it does not answer")
	require.Nil(t, o.Readers[1].BehindMS)
	require.False(t, o.Readers[1].OK)
	require.Len(t, o.Readers, 3)
	require.Equal(t, "speeding", o.Readers[2].Reader, "a reader that was added is listed, as it says what it is")
	require.InDelta(t, 50, o.Shards[0].PointsPerSecond, 0)
	require.Nil(t, o.Shards[1].ShardRates, "its rate is not known yet")
	require.Equal(t, 2, o.Rides.ByState["assigned"])
	require.Equal(t, 2026, o.Rides.At.Year(), "as old as booking's count, not as its answer")
	require.False(t, o.OK)
	require.Equal(t, map[string]string{"queue": "deploy it", "database": "the database does not answer it"}, o.Services[0].NotReady, "no error's own text")

	g.overview(t.Context())
	require.Equal(t, int64(1), queues.calls.Load(), "a second asker within the moment shares the first's answer")
}

// A part that is frozen is shown as it was, with its age, and costs the others'
// numbers nothing.
func TestAFrozenPartKeepsItsLastAnswerAndItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frozen atomic.Bool
		answer := func(ctx context.Context) (int, error) {
			if frozen.Load() {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return 7, nil
		}
		p := &part[int]{ask: answer, now: time.Now}
		round := func() (last int, age time.Duration, fresh bool) {
			await([]<-chan struct{}{p.begin(t.Context())})
			last, heard, fresh := p.look(time.Now())
			return last, time.Since(heard), fresh
		}

		last, heard, fresh := p.look(time.Now())
		require.Zero(t, last)
		require.True(t, heard.IsZero())
		require.False(t, fresh, "nothing was heard yet")
		_, _, fresh = round()
		require.True(t, fresh)

		frozen.Store(true)
		began := time.Now()
		last, age, fresh := round()
		require.Equal(t, 7, last)
		require.Equal(t, patience, age)
		require.True(t, fresh, "one late answer is no news")
		time.Sleep(time.Second)
		_, _, _ = round()
		require.Equal(t, patience+time.Second, time.Since(began), "nobody waits for it twice")

		time.Sleep(2 * time.Second)
		last, age, fresh = round()
		require.Equal(t, 7, last)
		require.GreaterOrEqual(t, age, freshFor)
		require.False(t, fresh)

		frozen.Store(false)
		time.Sleep(askWithin)
		_, age, fresh = round()
		require.Zero(t, age)
		require.True(t, fresh)
	})
}

// An answer of nothing has empty lists: a page counts and filters them, and null would
// turn it white.
func TestNoListOfAnEmptyAnswerIsNull(t *testing.T) {
	doc := apitest.Description(t)
	g := newGatherer(Config{}, &fakeQueues{}, testSigner(t))

	for name, answer := range map[string]any{
		"Overview": g.overview(t.Context()),
		"Summary":  newSummaries(g, newRetention(&fakeStream{24}, time.Now)).now(t.Context()),
	} {
		raw, err := json.Marshal(answer)
		require.NoError(t, err)
		var got any
		require.NoError(t, json.Unmarshal(raw, &got))
		require.NoError(t, doc.Components.Schemas[name].Value.VisitJSON(got), name)
	}
}
