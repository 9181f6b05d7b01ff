package history

import (
	"context"
	"encoding/json"
	"errors"
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

func encode(t *testing.T, driver string, seq int64) []byte {
	t.Helper()
	b, err := event.Point{Driver: driver, Seq: seq, At: seq, Lat: -34.9, Lon: -56.2, Speed: 8}.Encode()
	require.NoError(t, err)
	return b
}

// run reads s until the test ends. wrap may change what a processor does.
func run(t *testing.T, s *fakestream.Stream, pool *pgxpool.Pool, worker string, wrap func(shardgroup.Processor) shardgroup.Processor) *reader {
	t.Helper()
	r := &reader{store: newStore(pool), stats: points.NewStats(), seen: points.NewRecent()}
	var err error
	r.group, err = shardgroup.New(shardgroup.Options{
		Client: s, Stream: event.Stream, Pool: pool, Name: name, Worker: worker, Lease: 800 * time.Millisecond,
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

func count(t *testing.T, pool *pgxpool.Pool, sql string) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(context.Background(), sql).Scan(&n))
	return n
}

func eventually(t *testing.T, pool *pgxpool.Pool, want int, sql string) {
	t.Helper()
	require.Eventually(t, func() bool { return count(t, pool, sql) >= want }, 20*time.Second, 20*time.Millisecond, sql)
	require.Equal(t, want, count(t, pool, sql), sql)
}

const day2013 = 1372636858000 // 2013-07-01, as in recorded trips

func TestStoresOnceAndFlagsWhatDoesNotRise(t *testing.T) {
	t.Parallel()
	pool, s := database(t), fakestream.New("0")
	for _, seq := range []int64{day2013, day2013 + 1000, day2013 + 500, day2013, day2013 + 2000, day2013 + 90_000_000} {
		s.Put("0", "d", encode(t, "d", seq))
	}
	r := run(t, s, pool, "a", nil)
	eventually(t, pool, 5, `SELECT count(*) FROM history.points`)
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM history.points WHERE not_rising`))
	require.Equal(t, 2, count(t, pool, `SELECT count(DISTINCT tableoid) FROM history.points`), "a partition a day, made for 2013")
	require.EqualValues(t, 1, r.status().(points.Detail).Repeated)
	require.Equal(t, "0", r.seen.Last("d")[0].Shard)
}

func TestUndecodablePointsAreParkedAndTheRestStored(t *testing.T) {
	t.Parallel()
	pool, s := database(t), fakestream.New("0")
	s.Put("0", "d", encode(t, "d", day2013))
	s.Put("0", "d", []byte("no point"))
	s.Put("0", "d", []byte(`{"v":9,"driver":"d","seq":1}`))
	s.Put("0", "d", encode(t, "d", day2013+1))
	run(t, s, pool, "a", nil)
	eventually(t, pool, 2, `SELECT count(*) FROM history.points`)
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.dead_records`))
}

// failing fails before the transaction, or after it as if the answer was lost.
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

func TestOnceThroughFailuresAndTakeOvers(t *testing.T) {
	t.Parallel()
	pool, s := database(t), fakestream.New("0", "1")
	s.Limit(7)
	drivers := []string{"a", "b", "c", "d"}
	for i := range 200 {
		d := drivers[i%4]
		s.Put([]string{"0", "1"}[i%2], d, encode(t, d, day2013+int64(i/4)*1000))
		if i%10 == 9 { // a producer that sends again
			s.Put([]string{"0", "1"}[i%2], d, encode(t, d, day2013+int64(i/4)*1000))
		}
	}
	var n int
	var mu sync.Mutex
	wrap := func(p shardgroup.Processor) shardgroup.Processor { return failing{p, &n, &mu} }
	run(t, s, pool, "a", wrap)
	run(t, s, pool, "b", wrap)
	eventually(t, pool, 200, `SELECT count(*) FROM history.points`)
	eventually(t, pool, 220, `SELECT sum(records)::int FROM shardgroup.checkpoints`)
	require.Zero(t, count(t, pool, `SELECT count(*) FROM history.points WHERE not_rising`))
	require.Equal(t, 200, count(t, pool, `SELECT count(*) FROM history.points`))
}

func TestPartitionsDoNotWaitForAnOpenCopy(t *testing.T) {
	t.Parallel()
	pool := database(t)
	ctx := context.Background()
	st := newStore(pool)
	at := func(seq int64) row {
		return row{Point: event.Point{Driver: "d", Seq: seq, At: seq}, arrived: time.Now(), shard: "0"}
	}
	require.NoError(t, st.ensureDays(ctx, []row{at(day2013)}))
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = st.insert(ctx, tx, []row{at(day2013)})
	require.NoError(t, err)
	short, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	require.NoError(t, newStore(pool).ensureDays(short, []row{at(day2013 + 86_400_000), at(day2013)}))
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	pool, s := database(t), fakestream.New("0")
	for i := range 5 {
		s.Put("0", "d", encode(t, "d", day2013+int64(i)*1000))
	}
	r := run(t, s, pool, "a", nil)
	eventually(t, pool, 5, `SELECT count(*) FROM history.points`)
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	h, err := httpserver.NewHandler(httpserver.Options{
		Name: name, Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
		Auth: signer, Routes: r.routes(), Status: r.status,
	})
	require.NoError(t, err)
	get := func(role auth.Role, subject, path string) (int, map[string]any) {
		token, err := signer.Sign(auth.Identity{Subject: subject, Role: role}, time.Minute)
		require.NoError(t, err)
		req := httptest.NewRequest(http.MethodGet, path, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		out := map[string]any{}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out), w.Body.String())
		return w.Code, out
	}
	code, last := get(auth.Driver, "d", "/v1/drivers/d/last")
	require.Equal(t, http.StatusOK, code, last)
	require.EqualValues(t, day2013+4000, last["seq"])
	require.Equal(t, "2013-07-01T00:01:02.000Z", last["at"])
	code, _ = get(auth.Driver, "e", "/v1/drivers/d/last")
	require.Equal(t, http.StatusNotFound, code)
	code, _ = get(auth.Importer, "feed", "/v1/drivers/nobody/last")
	require.Equal(t, http.StatusNotFound, code)
	code, page := get(auth.Admin, "x", "/v1/drivers/d/points?from=1372636859000&to=2013-07-02T00:00:00Z&limit=2")
	require.Equal(t, http.StatusOK, code, page)
	require.Len(t, page["points"], 2)
	require.EqualValues(t, day2013+2001, page["next"])
	code, _ = get(auth.Rider, "x", "/v1/drivers/d/points")
	require.Equal(t, http.StatusForbidden, code)
	code, seen := get(auth.Service, "console", "/v1/seen?driver=d")
	require.Equal(t, http.StatusOK, code)
	require.Len(t, seen["seen"], 5)
	code, status := get(auth.Admin, "x", "/v1/status")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, name, status["detail"].(map[string]any)["reader"])
}
