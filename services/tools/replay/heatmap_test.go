package replay

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/heatmap"
	"tandem/services/internal/lifecycle"
	"tandem/services/test/pointstest"
)

// The windows of the tests, by the minute after 04:05, are of one cell: 0 has arrivals from
// before the span and in it, 1 and 3 in it alone, 2 in it and after it; a point that does
// not rise above what came before the span would be the only one of 4.
func TestTheHeatmapBecomesWhatTheStreamSays(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var drivers []string
	for i := range 20 {
		drivers = append(drivers, fmt.Sprint("driver-", i))
	}
	s.read(t)
	_, err := Heatmap(t.Context(), s.config(Span{time.Now(), time.Now().Add(time.Minute)}))
	require.ErrorIs(t, err, ErrRefused)

	s.run(t, func(ctx context.Context, env lifecycle.Env, cfg pointstest.Config) error {
		return heatmap.Run(ctx, env, heatmap.Config(cfg))
	})
	pointstest.Put(t, s.stream, drivers, 0, 10)
	from := s.put(t, []string{"late"}, 1200, 1, 201)
	pointstest.Put(t, s.stream, drivers, 5, 10)
	pointstest.Put(t, s.stream, drivers, 60, 10)
	pointstest.Put(t, s.stream, drivers, 65, 10)
	pointstest.Put(t, s.stream, drivers, 120, 2)
	pointstest.Put(t, s.stream, []string{"late"}, 240, 1)
	to := s.put(t, drivers, 180, 10, 201+100+300+40+1+200)
	s.put(t, drivers, 170, 1, 862) // late: it does not rise, so it is not counted
	s.put(t, []string{"other"}, 170, 2, 864)
	span := Span{from, to}
	s.passed(t, heatmap.Name, span)
	all := `SELECT string_agg(to_char(window_at, 'MI') || ' ' || n, ', ' ORDER BY window_at, cell) FROM heatmap.cells`
	is := func() (text string) {
		require.NoError(t, s.pool.QueryRow(t.Context(), all).Scan(&text))
		return text
	}
	// What the hours say that the minutes do not, and the other way round.
	const offHours = `WITH minutes AS (SELECT generation, date_trunc('hour', window_at, 'UTC') AS hour_at, cell, sum(n)::bigint AS n,
			min(first_arrived) AS first_arrived, max(last_arrived) AS last_arrived FROM heatmap.cells GROUP BY 1, 2, 3)
		SELECT count(*)::int FROM ((TABLE heatmap.hours EXCEPT TABLE minutes) UNION ALL (TABLE minutes EXCEPT TABLE heatmap.hours)) AS off`
	const live = "05 300, 06 300, 07 42, 08 200, 25 1"
	require.Eventually(t, func() bool { return is() == live }, 10*time.Second, 20*time.Millisecond, is())

	// What is left of a replay that died.
	s.exec(t, `INSERT INTO heatmap.cells SELECT 7, window_at, cell, n, first_arrived, last_arrived FROM heatmap.cells`)
	first, err := Heatmap(t.Context(), s.config(span))
	require.NoError(t, err)
	require.True(t, first.Equal, first)
	require.EqualValues(t, 2, first.Before.Rows)
	require.EqualValues(t, 4, first.Built.Rows)
	require.Equal(t, live, is())
	require.Zero(t, pointstest.Count(t, s.pool, offHours))

	s.exec(t, `DELETE FROM heatmap.cells WHERE to_char(window_at, 'MI') = '06'`)
	s.exec(t, `UPDATE heatmap.cells SET n = 999 WHERE to_char(window_at, 'MI') IN ('05', '08')`)
	s.exec(t, `INSERT INTO heatmap.cells SELECT 1, window_at + interval '7 min', 1, 1, first_arrived, last_arrived FROM heatmap.cells WHERE to_char(window_at, 'MI') = '08'`)
	dry := s.config(span)
	dry.DryRun = true
	looked, err := Heatmap(t.Context(), dry)
	require.NoError(t, err)
	require.False(t, looked.Equal)
	require.Contains(t, dry.Out.(*bytes.Buffer).String(), "2 rows would be removed and 2 added")
	mended, err := Heatmap(t.Context(), s.config(span))
	require.NoError(t, err)
	require.False(t, mended.Equal)
	require.Equal(t, first.After, mended.After)
	require.Zero(t, pointstest.Count(t, s.pool, offHours))
	require.Equal(t, "05 999, 06 300, 07 42, 08 200, 25 1", is(), "a row at the span's edge stays as it was")

	// A late point takes its row out of the comparison, and changes nothing in what is built.
	pointstest.Put(t, s.stream, []string{"another"}, 60, 1)
	require.Eventually(t, func() bool { return is() == "05 999, 06 301, 07 42, 08 200, 25 1" }, 10*time.Second, 20*time.Millisecond)
	again, err := Heatmap(t.Context(), s.config(span))
	require.NoError(t, err)
	require.True(t, again.Equal)
	require.EqualValues(t, 1, again.Before.Rows)
	for _, other := range []Report{looked, mended, again} {
		require.Equal(t, first.Built, other.Built)
	}
	require.Equal(t, "05 999, 06 301, 07 42, 08 200, 25 1", is())
	require.Equal(t, 3, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM heatmap.generations WHERE swapped_at IS NOT NULL`))

	early := s.config(span)
	early.client = forgetful{s.stream, to, 24}
	_, err = Heatmap(t.Context(), early)
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "have counted more than the stream still keeps")
	require.Equal(t, 1, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM heatmap.cells WHERE generation = 1 AND n = 200`))

	// The marks of before the span are history's.
	s.sendBack(t.Context())
	_, err = Heatmap(t.Context(), s.config(span))
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "history has applied")
}
