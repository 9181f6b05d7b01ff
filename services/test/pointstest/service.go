package pointstest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/kpl"
	"tandem/services/test/testenv"
)

// Config is what the readers' services have in common.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile

	CatchUpBytes int
}

// Service is a reader's service.
type Service struct {
	Name   string
	Schema postgres.Schema
	Run    func(context.Context, lifecycle.Env, Config) error
	Total  string // SQL that selects how many points have had their effect
}

// AcrossRestarts runs the service on the emulator, ends it, puts points of which
// half were put before, and runs it again: 300 points of 20 drivers in all. It
// returns the database.
func (s Service) AcrossRestarts(t *testing.T) *pgxpool.Pool {
	t.Helper()
	dbURL, pool := Database(t, s.Schema)
	cfg := Config{DatabaseURL: dbURL, AWS: testenv.Emulator(t), Auth: Signer(t), Profile: profile.Fast()}
	awsCfg, err := awsclient.New(t.Context(), cfg.AWS)
	require.NoError(t, err)
	client := kinesis.NewFromConfig(awsCfg)

	var drivers []string
	for i := range 20 {
		drivers = append(drivers, fmt.Sprint("driver-", i))
	}

	base, stop := s.Start(t, cfg)
	require.Eventually(t, func() bool {
		code, _ := get(t, base+"/readyz", "")
		return code == http.StatusOK
	}, 10*time.Second, 20*time.Millisecond)
	Put(t, client, drivers, 0, 10)
	Eventually(t, pool, 200, s.Total)
	s.looks(t, base, cfg.Auth, drivers[0])
	stop()

	Put(t, client, drivers, 5, 10)
	_, stop = s.Start(t, cfg)
	defer stop()
	Eventually(t, pool, 300, s.Total)
	return pool
}

// looks checks what a reader answers to the console.
func (s Service) looks(t *testing.T, base string, signer *auth.Signer, driver string) {
	t.Helper()
	token, err := signer.Sign(auth.Identity{Subject: "console", Role: auth.Service}, time.Minute)
	require.NoError(t, err)

	// Rows are visible a moment before they are counted.
	var status struct {
		Detail points.Detail `json:"detail"`
	}

	require.Eventually(t, func() bool {
		_, body := get(t, base+"/v1/status", token)
		return json.Unmarshal(body, &status) == nil && status.Detail.Points == 200
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, s.Name, status.Detail.Reader)
	require.NotEmpty(t, status.Detail.Shards[0].Sequence)
	require.NotEmpty(t, status.Detail.Shards[0].Worker)

	_, metrics := get(t, base+"/metrics", token)
	for _, name := range []string{"failures_total ", "leases_lost_total ", `behind_seconds{shard="`} {
		require.Contains(t, string(metrics), "\nshardgroup_"+name)
	}
	require.NotContains(t, string(metrics), "\nshardgroup_shards_held 0\n")
	require.NotContains(t, string(metrics), "\nshardgroup_batch_records_count 0\n")

	var seen points.SeenAnswer
	_, body := get(t, base+"/v1/seen?driver="+driver, token)
	require.NoError(t, json.Unmarshal(body, &seen), string(body))
	require.Len(t, seen.Seen, 8)
	require.Greater(t, seen.Seen[0].Seq, seen.Seen[1].Seq, "newest first")
	require.NotEmpty(t, seen.Seen[0].SequenceNumber)
	code, _ := get(t, base+"/v1/seen", token)
	require.Equal(t, http.StatusBadRequest, code)
}

// get returns 0 where nobody answers.
func get(t *testing.T, url, token string) (code int, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)

	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}

	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, body
}

// Start runs the service until stop is called.
func (s Service) Start(t *testing.T, cfg Config) (base string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Run(ctx, lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}, cfg)
	}()

	return "http://" + l.Addr().String(), func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err, "drained")
		case <-time.After(lifecycle.DrainTimeout):
			require.Fail(t, "not drained in time")
		}
	}
}

const buckets kpl.Buckets = 6

// Put sends one aggregate for each driver, each with points from..from+n-1.
func Put(t *testing.T, c *kinesis.Client, drivers []string, from, n int) {
	t.Helper()
	first := time.Date(2014, 2, 3, 4, 5, 0, 0, time.UTC).UnixMilli()
	var entries []types.PutRecordsRequestEntry
	for _, d := range drivers {
		hash := buckets.HashKey(buckets.Of(d))
		a := kpl.NewAggregate(hash, 1<<20)
		for i := range n {
			require.True(t, a.Add(d, Encode(t, d, first+int64(from+i)*1000)))
		}
		data, err := a.Encode()
		require.NoError(t, err)
		entries = append(entries, types.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(d), ExplicitHashKey: aws.String(hash)})
	}

	out, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String(event.Stream), Records: entries})
	require.NoError(t, err)
	require.Zero(t, aws.ToInt32(out.FailedRecordCount))
}

// Signer returns a signer of tokens for tests.
func Signer(t *testing.T) *auth.Signer {
	t.Helper()
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	return signer
}

// Routes returns a function that asks routes as id and returns status and body.
func Routes(t *testing.T, routes []httpserver.Route) func(id auth.Identity, path string) (int, map[string]any) {
	t.Helper()
	signer := Signer(t)
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "reader", Auth: signer, Routes: routes,
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)

	return func(id auth.Identity, path string) (int, map[string]any) {
		t.Helper()
		token, err := signer.Sign(id, time.Minute)
		require.NoError(t, err)
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)

		out := map[string]any{}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out), w.Body.String())
		return w.Code, out
	}
}
