package heatmap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/testenv"
)

func database(t *testing.T) *pgxpool.Pool {
	t.Helper()
	_, pool := testenv.Database(t, Schema(), postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	return pool
}

func encode(t *testing.T, driver string, at int64) []byte {
	t.Helper()
	b, err := event.Point{Driver: driver, Seq: at, At: at, Lat: -34.9, Lon: -56.2, Speed: 8}.Encode()
	require.NoError(t, err)
	return b
}

// run reads s until the test ends. wrap may change what a processor does.
func run(t *testing.T, s *fakestream.Stream, pool *pgxpool.Pool, worker string, wrap func(shardgroup.Processor) shardgroup.Processor) *reader {
	t.Helper()
	r := &reader{store: &store{pool: pool, generation: generation}, stats: points.NewStats(), seen: points.NewRecent(), public: map[int]publicMap{}}
	var err error
	r.group, err = shardgroup.New(shardgroup.Options{
		Client: s, Stream: event.Stream, Pool: pool, Name: name, Generation: generation, Worker: worker, Lease: 800 * time.Millisecond,
		PollEvery: 20 * time.Millisecond, Backoff: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Processor: func(shard string) shardgroup.Processor {
			if wrap != nil {
				return wrap(r.processor(shard))
			}
			return r.processor(shard)
		},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.group.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return r
}

func scalar(t *testing.T, pool *pgxpool.Pool, sql string) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(context.Background(), sql).Scan(&n))
	return n
}

func eventually(t *testing.T, pool *pgxpool.Pool, want int, sql string) {
	t.Helper()
	require.Eventually(t, func() bool { return scalar(t, pool, sql) >= want }, 20*time.Second, 20*time.Millisecond, sql)
	require.Equal(t, want, scalar(t, pool, sql), sql)
}

const (
	day2013 = 1372636858000 // 2013-07-01, as in recorded trips
	total   = `SELECT coalesce(sum(n), 0)::int FROM heatmap.cells`
	applied = `SELECT coalesce(sum(records), 0)::int FROM shardgroup.checkpoints`
)

// failing fails before the commit, or after it as if the answer was lost.
type failing struct {
	shardgroup.Processor
	n  *int
	mu *sync.Mutex
}

func (f failing) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	f.mu.Lock()
	*f.n++
	n := *f.n
	f.mu.Unlock()
	if n%4 == 1 {
		return f.Processor.Process(ctx, b, func(ctx context.Context, tx pgx.Tx) error {
			return errors.Join(commit(ctx, tx), errors.New("failed after the checkpoint was written"))
		})
	}
	err := f.Processor.Process(ctx, b, commit)
	if err == nil && n%4 == 3 {
		return errors.New("the commit's answer was lost")
	}
	return err
}

func TestCountsOnceThroughFailuresAndTakeOvers(t *testing.T) {
	t.Parallel()
	pool, s := database(t), fakestream.New("0", "1")
	s.Limit(7)
	for i := range 200 {
		shard, d := fmt.Sprint(i%2), fmt.Sprint("d", i%4)
		s.Put(shard, d, encode(t, d, day2013+int64(i/4)*1000))
		if i%10 == 9 { // a producer that sends again
			s.Put(shard, d, encode(t, d, day2013+int64(i/4)*1000))
		}
	}
	var n int
	var mu sync.Mutex
	wrap := func(p shardgroup.Processor) shardgroup.Processor { return failing{p, &n, &mu} }
	run(t, s, pool, "a", wrap)
	run(t, s, pool, "b", wrap)
	eventually(t, pool, 220, applied)
	require.Equal(t, 200, scalar(t, pool, total))
	require.Equal(t, 20, scalar(t, pool, `SELECT sum(skipped)::int FROM heatmap.marks`))
	require.Zero(t, scalar(t, pool, `SELECT count(*) FROM heatmap.presence`), "nobody asks who was there in 2013")
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	pool, s := database(t), fakestream.New("0")
	now := time.Now()
	fix := now.Add(-3 * time.Minute).UnixMilli()
	for i := range 6 {
		d := fmt.Sprint("d", i)
		s.Put("0", d, encode(t, d, fix))
	}
	r := run(t, s, pool, "a", nil)
	eventually(t, pool, 6, total)
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	h, err := httpserver.NewHandler(httpserver.Options{
		Name: name, Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
		Auth: signer, Routes: r.routes(), Status: r.status,
	})
	require.NoError(t, err)
	get := func(role auth.Role, path string) (int, map[string]any) {
		token, err := signer.Sign(auth.Identity{Subject: "x", Role: role}, time.Minute)
		require.NoError(t, err)
		req := httptest.NewRequest(http.MethodGet, path, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		out := map[string]any{}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out), w.Body.String())
		return w.Code, out
	}
	code, public := get(auth.Viewer, "/v1/heatmap?minutes=15")
	require.Equal(t, http.StatusOK, code, public)
	cells := public["cells"].([]any)
	require.Len(t, cells, 1)
	require.Equal(t, "5-9", cells[0].(map[string]any)["class"])
	require.NotContains(t, cells[0], "n")
	code, raw := get(auth.Admin, "/v1/heatmap?raw=1")
	require.Equal(t, http.StatusOK, code, raw)
	require.EqualValues(t, 6, raw["cells"].([]any)[0].(map[string]any)["n"])
	code, _ = get(auth.Rider, "/v1/heatmap?raw=1")
	require.Equal(t, http.StatusForbidden, code)
	code, _ = get(auth.Viewer, "/v1/heatmap?minutes=16")
	require.Equal(t, http.StatusBadRequest, code, "a free choice of minutes would let answers be subtracted")

	require.NoError(t, r.store.forget(context.Background(), now))
	again, err := r.publicMap(context.Background(), now.Truncate(time.Minute).Add(2*time.Minute), 15)
	require.NoError(t, err)
	require.Empty(t, again.Cells)
}
