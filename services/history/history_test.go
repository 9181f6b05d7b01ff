package history

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/pointstest"
)

const (
	day2013 = pointstest.Day2013
	total   = `SELECT count(*) FROM history.points`
)

func TestStoresOnceAndFlagsWhatDoesNotRise(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := fakestream.New("0")
	for _, seq := range []int64{day2013, day2013 + 1000, day2013 + 500, day2013, day2013 + 2000, day2013 + 90_000_000} {
		s.Put("0", "d", pointstest.Encode(t, "d", seq))
	}

	g := pointstest.Read(t, s, pool, "a", newStore(pool))

	pointstest.Eventually(t, pool, 5, total)
	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE not_rising`))
	require.Equal(t, 2, pointstest.Count(t, pool, `SELECT count(DISTINCT tableoid) FROM history.points`), "a partition a day, created for 2013")
	require.Eventually(t, func() bool { return g.Detail().Repeated == 1 }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, "0", g.Seen("d")[0].Shard)
}

// Audit tells by it whose fault it is that a point does not rise.
func TestStoresWhenAPointWasTaken(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := fakestream.New("0")
	for i, taken := range []int64{0, day2013 + 5} {
		seq := int64(day2013 + i)
		data, err := event.Point{Driver: "d", Seq: seq, At: seq, Taken: taken}.Encode()
		require.NoError(t, err)
		s.Put("0", "d", data)
		s.Put("0", "d", data) // the slower way keeps it too
	}

	pointstest.Read(t, s, pool, "a", newStore(pool))

	pointstest.Eventually(t, pool, 2, total)
	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE taken_at IS NULL`))
	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE extract(epoch FROM taken_at) * 1000 = seq + 4`))
}

func TestUndecodablePointsAreParkedAndTheRestStored(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := fakestream.New("0")
	s.Put("0", "d", pointstest.Encode(t, "d", day2013))
	s.Put("0", "d", []byte("no point"))
	s.Put("0", "d", []byte(`{"v":9,"driver":"d","seq":1}`))
	s.Put("0", "d", pointstest.Encode(t, "d", day2013+1))

	pointstest.Read(t, s, pool, "a", newStore(pool))

	pointstest.Eventually(t, pool, 2, total)
	require.Equal(t, 2, pointstest.Count(t, pool, `SELECT count(*) FROM shardgroup.dead_records`))
}

func TestRowsAndCheckpointAreOneTransaction(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	pointstest.RowsAndCheckpointTogether(t, pool, newStore(pool), total)
}

// The mark is the highest sequence, whatever order the points came in and whatever
// day they are of.
func TestNewestIsTheHighestSequence(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	st := newStore(pool)
	const day = 86_400_000
	var batch []points.Arrival
	for _, seq := range []int64{day2013 + day, day2013 + 2000, day2013 + day + 5, day2013, day2013 + day + 2} {
		batch = append(batch, points.Arrival{Point: event.Point{Driver: "d", Seq: seq, At: seq}, Arrived: time.Now(), Shard: "0"})
	}
	_, err := st.Apply(t.Context(), batch, func(context.Context, pgx.Tx, ...shardreader.Position) error { return nil })
	require.NoError(t, err)

	mark := event.Mark{}
	require.NoError(t, st.Newest(t.Context(), []string{"d", "unknown"}, mark))
	require.Equal(t, event.Mark{"d": day2013 + day + 5}, mark)
}

func TestOnceThroughFailuresAndTakeOvers(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	pointstest.OnceThroughFailures(t, pool, func() points.Store { return newStore(pool) }, total)
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE not_rising`))
}

func TestPartitionsDoNotWaitForAnOpenCopy(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	ctx := context.Background()
	st := newStore(pool)
	at := func(seq int64) points.Arrival {
		return points.Arrival{Point: event.Point{Driver: "d", Seq: seq, At: seq}, Arrived: time.Now(), Shard: "0", Rises: true}
	}
	require.NoError(t, st.ensureDays(ctx, []points.Arrival{at(day2013)}))
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = st.insert(ctx, tx, []points.Arrival{at(day2013)})
	require.NoError(t, err)

	short, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	require.NoError(t, newStore(pool).ensureDays(short, []points.Arrival{at(day2013 + 86_400_000), at(day2013)}))
}

func TestWhatIsNotKnownIsNull(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := fakestream.New("0")
	for i, measured := range []string{"", `,"speed":0,"heading":0,"accuracy":0`} {
		driver, raw := fmt.Sprint("d", i), fmt.Appendf(nil, `{"v":2,"seq":%d,"lat":1,"lon":1%s}`, day2013, measured)
		s.Put("0", driver, raw)
		s.Put("0", driver, raw) // the slower way keeps it too
	}
	st := newStore(pool)
	pointstest.Read(t, s, pool, "a", st)
	pointstest.Eventually(t, pool, 2, total)

	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE speed IS NULL AND heading IS NULL AND accuracy IS NULL`))
	get := pointstest.Routes(t, routes(st))
	for driver, want := range map[string]any{"d0": nil, "d1": 0.0} {
		code, last := get(auth.Identity{Subject: "x", Role: auth.Admin}, "/v1/drivers/"+driver+"/last")
		require.Equal(t, http.StatusOK, code, last)
		for _, member := range []string{"speed", "heading", "accuracy"} {
			require.Contains(t, last, member)
			require.Equal(t, want, last[member], "%s of %s", member, driver)
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := fakestream.New("0")
	for i := range 5 {
		s.Put("0", "d", pointstest.Encode(t, "d", day2013+int64(i)*1000))
	}
	st := newStore(pool)
	pointstest.Read(t, s, pool, "a", st)
	pointstest.Eventually(t, pool, 5, total)
	get := pointstest.Routes(t, routes(st))
	admin := auth.Identity{Subject: "x", Role: auth.Admin}

	code, last := get(auth.Identity{Subject: "d", Role: auth.Driver}, "/v1/drivers/d/last")
	require.Equal(t, http.StatusOK, code, last)
	require.EqualValues(t, day2013+4000, last["seq"])
	require.Equal(t, "2013-07-01T00:01:02.000Z", last["at"])
	code, _ = get(auth.Identity{Subject: "e", Role: auth.Driver}, "/v1/drivers/d/last")
	require.Equal(t, http.StatusNotFound, code)
	code, _ = get(auth.Identity{Subject: "feed", Role: auth.Importer}, "/v1/drivers/nobody/last")
	require.Equal(t, http.StatusNotFound, code)

	code, page := get(admin, "/v1/drivers/d/points?from=1372636859000&to=2013-07-02T00:00:00Z&limit=2")
	require.Equal(t, http.StatusOK, code, page)
	require.Len(t, page["points"], 2)
	require.EqualValues(t, day2013+2001, page["next"])
	code, _ = get(admin, "/v1/drivers/d/points?from=yesterday")
	require.Equal(t, http.StatusBadRequest, code)
	code, _ = get(auth.Identity{Subject: "x", Role: auth.Rider}, "/v1/drivers/d/points")
	require.Equal(t, http.StatusForbidden, code)
}
