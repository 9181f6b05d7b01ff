package heatmap

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/pointstest"
)

const total = `SELECT coalesce(sum(n), 0)::int FROM heatmap.cells`

func TestRowsAndCheckpointAreOneTransaction(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	pointstest.RowsAndCheckpointTogether(t, pool, newStore(pool), total)
}

func TestCountsOnceThroughFailuresAndTakeOvers(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	pointstest.OnceThroughFailures(t, pool, func() points.Store { return newStore(pool) }, total)
	require.Equal(t, 20, pointstest.Count(t, pool, `SELECT sum(skipped)::int FROM heatmap.marks`))
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*) FROM heatmap.presence`), "nobody asks who was there in 2013")
}

// caughtUp returns a store whose reader has always counted what arrived.
func caughtUp(pool *pgxpool.Pool) *store {
	s := newStore(pool)
	countedTo(s, time.Now().Add(time.Hour))
	return s
}

func countedTo(s *store, t time.Time) {
	s.applied = func(context.Context) (time.Time, error) { return t, nil }
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := fakestream.New("0")
	now := time.Now()
	fix := now.Add(-3 * time.Minute).UnixMilli()
	for i := range 6 {
		d := fmt.Sprint("d", i)
		s.Put("0", d, pointstest.Encode(t, d, fix))
	}
	api := newService(newStore(pool))
	api.store.applied = func(ctx context.Context) (time.Time, error) { return points.AppliedTo(ctx, pool, "reader") }
	pointstest.Read(t, s, pool, "a", api.store)
	pointstest.Eventually(t, pool, 6, total)
	get := pointstest.Routes(t, api.routes())
	as := func(role auth.Role) auth.Identity { return auth.Identity{Subject: "x", Role: role} }

	old := newestMinute(now).Add(-mostBack - 2*time.Minute)
	api.public[old] = publicMap{}
	minute := fmt.Sprint("/v1/heatmap?at=", fix)
	code, public := get(as(auth.Viewer), minute)
	require.Equal(t, http.StatusOK, code, public)
	cells := public["cells"].([]any)
	require.Len(t, cells, 1)
	require.Equal(t, "5-9", cells[0].(map[string]any)["class"])
	require.NotContains(t, cells[0], "n")
	require.NotContains(t, api.public, old, "nobody can ask for it any more")
	_, inView := get(as(auth.Viewer), minute+"&box=-56.21,-34.91,-56.19,-34.89")
	require.Equal(t, public, inView)
	_, elsewhere := get(as(auth.Viewer), minute+"&box=-56.1,-34.91,-56,-34.89")
	require.Empty(t, elsewhere["cells"])

	code, raw := get(as(auth.Admin), "/v1/heatmap?raw=1")
	require.Equal(t, http.StatusOK, code, raw)
	require.EqualValues(t, 6, raw["cells"].([]any)[0].(map[string]any)["n"])
	code, _ = get(as(auth.Rider), "/v1/heatmap?raw=1")
	require.Equal(t, http.StatusForbidden, code)
	_, raw = get(as(auth.Admin), "/v1/heatmap?raw=1&box=-56.1,-34.91,-56,-34.89")
	require.Empty(t, raw["cells"])
	for _, wrong := range []string{
		"minutes=15", "from=0", fmt.Sprint("at=", now.Add(time.Minute).UnixMilli()), fmt.Sprint("at=", now.Add(-2*time.Hour).UnixMilli()),
		"box=1,2,3", "box=1,2,3,x", "box=1,2,3,91", "box=1,3,4,2",
	} {
		code, _ = get(as(auth.Viewer), "/v1/heatmap?"+wrong)
		require.Equal(t, http.StatusBadRequest, code, wrong)
	}

	require.NoError(t, api.store.forget(t.Context(), now))
	require.NotZero(t, pointstest.Count(t, pool, `SELECT count(*)::int FROM heatmap.presence`))
	require.NoError(t, api.store.forget(t.Context(), now.Add(presenceKept)))
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*)::int FROM heatmap.presence`))
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*)::int FROM heatmap.shown`))
}

// A reader that was paused has counted nothing of the last minutes. Their maps are not
// made before it has: one that was would say for ever that nobody was there.
func TestAMinuteThatIsNotCountedIsNotShown(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newService(newStore(pool))
	get := pointstest.Routes(t, s.routes())
	ask := func(query string) (int, map[string]any) {
		return get(auth.Identity{Subject: "x", Role: auth.Viewer}, "/v1/heatmap"+query)
	}
	newest := newestMinute(time.Now().Add(-2 * time.Minute)) // so that the next minute can be asked for, too
	at := func(minute time.Time) string { return fmt.Sprint("?at=", minute.UnixMilli()) }

	// Nobody has begun to read.
	for _, query := range []string{"", at(newest)} {
		code, body := ask(query)
		require.Equal(t, http.StatusServiceUnavailable, code, body)
	}
	countedTo(s.store, newest.Add(-mostBack))
	code, body := ask("")
	require.Equal(t, http.StatusServiceUnavailable, code, "what is counted is too old to be asked for: %v", body)

	// It stands a moment before the end of the newest minute and its last points.
	countedTo(s.store, newest.Add(window+settle-time.Millisecond))
	code, body = ask(at(newest))
	require.Equal(t, http.StatusServiceUnavailable, code, body)
	require.Equal(t, "unavailable", body["code"])
	require.Contains(t, body["detail"], newest.Add(window+settle-time.Second).Format(time.RFC3339))
	code, body = ask("")
	require.Equal(t, http.StatusOK, code, body)
	require.Equal(t, newest.Add(-window).Format(time.RFC3339), body["from"])

	fleet{spot{newest, cellAt(-34.9, -56.2)}: {"a", "b", "c", "d", "e"}}.store(t, pool)
	countedTo(s.store, newest.Add(window+settle))
	for _, query := range []string{at(newest), ""} {
		code, body = ask(query)
		require.Equal(t, http.StatusOK, code, body)
		require.Equal(t, newest.Format(time.RFC3339), body["from"])
		require.Len(t, body["cells"], 1)
	}

	// It is sent back: what was shown is, by another process too.
	again := newService(newStore(pool))
	countedTo(again.store, newest.Add(-10*time.Minute))
	m, err := again.publicMap(t.Context(), newest)
	require.NoError(t, err)
	require.Len(t, m.Cells, 1)
}

// While the database is slow, who asks waits no longer than it wants to, also behind
// another; and who leaves does not take the answer from the others.
func TestASlowDatabaseHoldsUpNobodyWhoLeaves(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	api := newService(caughtUp(pool))
	lock, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = lock.Exec(t.Context(), `LOCK TABLE heatmap.presence IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)

	minute := newestMinute(time.Now())
	leaving, leave := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	ask := func(ctx context.Context, answer chan error) {
		_, err := api.publicMap(ctx, minute)
		answer <- err
	}
	go ask(leaving, first)
	const waits = `SELECT count(*)::int FROM pg_locks WHERE NOT granted AND relation = 'heatmap.presence'::regclass`
	require.Eventually(t, func() bool { return pointstest.Count(t, pool, waits) == 1 }, 10*time.Second, 5*time.Millisecond)
	go ask(t.Context(), second)

	for _, back := range []time.Duration{0, time.Minute} {
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		_, err := api.publicMap(short, minute.Add(-back))
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(began), 5*time.Second, "%s back", back)
	}

	leave()
	require.ErrorIs(t, <-first, context.Canceled)
	require.NoError(t, lock.Rollback(t.Context()))
	require.NoError(t, <-second)
}
