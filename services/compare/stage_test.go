package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/test/apitest"
	"tandem/services/test/testenv"
)

const patience = 60 * time.Second

// stage is the service on an emulator, with drivers that a test moves.
type stage struct {
	t      *testing.T
	aws    awsclient.Config
	client *kinesis.Client
	s      *service
	url    string
	token  string
	seq    int64
	schema *openapi3.Schema
}

func newStage(t *testing.T, opts ...testenv.EmulatorOption) *stage {
	t.Helper()
	at := testenv.Emulator(t, opts...)
	cfg, err := awsclient.New(t.Context(), at)
	require.NoError(t, err)
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	token, err := signer.Sign(auth.Identity{Subject: "viewer", Role: auth.Viewer}, time.Hour)
	require.NoError(t, err)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	s := newService(newCloud(cfg), 250*time.Millisecond, log)
	s.work = 10 * time.Millisecond

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- lifecycle.Group(ctx, lifecycle.Task{Name: "sessions", Run: s.keep}, lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{Name: name, Auth: signer, Routes: s.routes(), Env: lifecycle.Env{Listener: l, Log: log, Metrics: prometheus.NewRegistry()}})
		}})
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return &stage{t: t, aws: at, client: kinesis.NewFromConfig(cfg), s: s, url: "http://" + l.Addr().String(), token: token, schema: schemaOf(t, "Comparison")}
}

// ask sends a request and returns its status and body.
func (g *stage) ask(method, path string, in any) (int, []byte) {
	g.t.Helper()
	body, err := json.Marshal(in)
	require.NoError(g.t, err)
	req, err := http.NewRequestWithContext(context.Background(), method, g.url+path, bytes.NewReader(body))
	require.NoError(g.t, err)
	req.Header.Set("Authorization", "Bearer "+g.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(g.t, err)
	defer func() { _ = resp.Body.Close() }()
	var out bytes.Buffer
	_, err = out.ReadFrom(resp.Body)
	require.NoError(g.t, err)
	return resp.StatusCode, out.Bytes()
}

func (g *stage) lookAs(viewer, cursor string) (v View) {
	g.t.Helper()
	status, body := g.ask(http.MethodGet, "/v1/compare?viewer="+viewer+"&cursor="+cursor, nil)
	require.Equal(g.t, http.StatusOK, status, string(body))
	require.NoError(g.t, json.Unmarshal(body, &v))
	g.described(body)
	return v
}

// described holds an answer against docs/openapi.yaml, which must know every member.
func (g *stage) described(body []byte) {
	g.t.Helper()
	var any map[string]any
	require.NoError(g.t, json.Unmarshal(body, &any))
	require.NoError(g.t, g.schema.VisitJSON(any))
}

func schemaOf(t *testing.T, name string) *openapi3.Schema {
	t.Helper()
	return apitest.Description(t).Components.Schemas[name].Value
}

func (g *stage) look() View { g.t.Helper(); return g.lookAs("ann", "") }

// until looks, as a page does, until ok.
func (g *stage) until(why string, ok func(View) bool) (v View) {
	g.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if v = g.look(); ok(v) {
			return v
		}
		if time.Now().After(end) {
			v.Points = nil // too many to read
			text, _ := json.Marshal(v)
			require.Fail(g.t, why, string(text))
		}
	}
}

func (g *stage) act(act string) {
	g.t.Helper()
	status, body := g.ask(http.MethodPost, "/v1/compare/acts", map[string]string{"viewer": "ann", "act": act})
	require.Equal(g.t, http.StatusNoContent, status, string(body))
}

func lonAt(seq int64) float64 { return -56.1 + float64(seq)/10000 }

// drive puts a point of each of these drivers on driver-locations.
func (g *stage) drive(drivers int) {
	g.t.Helper()
	g.seq++
	in := &kinesis.PutRecordsInput{StreamName: aws.String(event.Stream)}
	for d := range drivers {
		driver := fmt.Sprintf("driver-%d", d)
		data, err := event.Point{Driver: driver, Seq: g.seq, At: time.Now().UnixMilli(), Lat: -34.9 + float64(d)/1000, Lon: lonAt(g.seq)}.Encode()
		require.NoError(g.t, err)
		in.Records = append(in.Records, kinesistypes.PutRecordsRequestEntry{PartitionKey: aws.String(driver), Data: data})
	}
	out, err := g.client.PutRecords(g.t.Context(), in)
	require.NoError(g.t, err)
	require.Zero(g.t, aws.ToInt32(out.FailedRecordCount))
}

// run starts a session and lets cars move until it has n points.
func (g *stage) run(cars, n int) View {
	g.t.Helper()
	g.until("a session starts", func(v View) bool { return v.State == stateRunning })
	// The tee reads what arrives from now on, and is at the tip once it has heard.
	g.until("the tee hears", func(v View) bool { g.drive(cars); return v.Sent > 0 })
	return g.more(cars, n)
}

func (g *stage) more(cars, n int) View {
	g.t.Helper()
	at := g.look().Sent
	g.until("the points are sent", func(v View) bool {
		if v.Sent < at+n {
			g.drive(cars)
		}
		return v.Sent >= at+n
	})
	return g.rest()
}

// rest returns what is seen when all that was sent has arrived.
func (g *stage) rest() View {
	g.t.Helper()
	return g.until("all that was sent arrives", func(v View) bool {
		newest := map[float64]float64{} // by car
		for _, r := range v.Points.Rows {
			newest[*r[0]] = *r[2]
		}
		still := v.Queue.Union == v.Sent-v.Queue.After
		for _, team := range v.Queue.Teams {
			still = still && (v.Queue.Via == "queue" || team.JoinedAt == nil || team.Count == v.Sent-*team.JoinedAt)
		}
		for _, lon := range newest {
			still = still && lon == lonAt(g.seq) // the last that was driven has been sent
		}
		for _, team := range v.Stream.Teams {
			still = still && (team.JoinedAt == nil || team.Count == v.Sent)
		}
		return still
	})
}

// onStream counts the session's points by shard, by an SDK's client and not by the
// service.
func (g *stage) onStream(session string) (all map[int]bool, byShard map[string]int) {
	g.t.Helper()
	all, byShard = map[int]bool{}, map[string]int{}
	shards, err := g.client.ListShards(g.t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(StreamPoints)})
	require.NoError(g.t, err)
	for _, s := range shards.Shards {
		it, err := g.client.GetShardIterator(g.t.Context(), &kinesis.GetShardIteratorInput{StreamName: aws.String(StreamPoints), ShardId: s.ShardId, ShardIteratorType: "TRIM_HORIZON"})
		require.NoError(g.t, err)
		for next, behind := it.ShardIterator, int64(1); behind > 0; {
			out, err := g.client.GetRecords(g.t.Context(), &kinesis.GetRecordsInput{ShardIterator: next})
			var full *kinesistypes.ProvisionedThroughputExceededException
			if err != nil {
				require.ErrorAs(g.t, err, &full) // the teams poll, too
				time.Sleep(200 * time.Millisecond)
				continue
			}
			for _, r := range out.Records {
				var m message
				require.NoError(g.t, json.Unmarshal(r.Data, &m))
				if m.Session == session {
					all[m.N] = true
					byShard[*s.ShardId]++
				}
			}
			next, behind = out.NextShardIterator, aws.ToInt64(out.MillisBehindLatest)
		}
	}
	return all, byShard
}

func counts(all []Team) (out []int) {
	for _, t := range all {
		out = append(out, t.Count)
	}
	return out
}

func sum(n []int) (out int) {
	for _, v := range n {
		out += v
	}
	return out
}

// emulatorState reads what the emulator says of itself.
func (g *stage) emulatorState(out any) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.aws.Endpoint+"/_aws/emulator/state", nil)
	require.NoError(g.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(g.t, err)
	defer func() { _ = resp.Body.Close() }()
	require.NoError(g.t, json.NewDecoder(resp.Body).Decode(out))
}

// subscriptions returns the queues that the emulator's topic delivers to.
func (g *stage) subscriptions() (queues []string) {
	g.t.Helper()
	var out struct {
		Topics []struct {
			Topic         string
			Subscriptions []struct{ Queue string }
		}
	}
	g.emulatorState(&out)
	for _, topic := range out.Topics {
		for _, s := range topic.Subscriptions {
			queues = append(queues, s.Queue)
		}
	}
	return queues
}

// duplicates returns how many deleted messages the emulator says it has delivered
// again.
func (g *stage) duplicates(queue string) int {
	g.t.Helper()
	var out struct {
		Queues []struct {
			Name       string
			Duplicates int
		}
	}
	g.emulatorState(&out)
	for _, q := range out.Queues {
		if q.Name == queue {
			return q.Duplicates
		}
	}
	require.Fail(g.t, "no such queue", queue)
	return 0
}
