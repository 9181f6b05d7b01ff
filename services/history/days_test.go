package history

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/pointstest"
)

const partitions = `SELECT count(*) FROM pg_inherits WHERE inhparent = 'history.points'::regclass`

// Whoever may send any day makes a partition with each: that is bounded, and holds
// up nobody else.
func TestPartitionsOfABatchAreBounded(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	st := newStore(pool)
	st.perBatch = 20
	s := fakestream.New("0")
	for i := range 500 {
		s.Put("0", "d", pointstest.Encode(t, "d", day2013+int64(i)*86_400_000))
	}
	now := time.Now().UnixMilli()
	s.Put("0", "e", pointstest.Encode(t, "e", now))

	pointstest.Read(t, s, pool, "a", st)

	pointstest.Eventually(t, pool, 21, total)
	require.Equal(t, 21, pointstest.Count(t, pool, partitions))
	require.Equal(t, 480, pointstest.Count(t, pool, `SELECT count(*) FROM shardgroup.dead_records WHERE reason LIKE '%partition%'`))
}

// Many batches are no way round, and neither is another process; what is sent now
// finds its partition whatever others used up.
func TestPartitionsOfADayAreBounded(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	st := newStore(pool)
	st.perDay = 30
	s := fakestream.New("0")
	s.Limit(10)
	for i := range 100 {
		s.Put("0", "d", pointstest.Encode(t, "d", day2013+int64(i)*86_400_000))
	}
	s.Put("0", "d", pointstest.Encode(t, "d", day2013+5*86_400_000+1)) // of a day that is there
	now := time.Now()
	for i := -1; i <= 1; i++ {
		s.Put("0", "e", pointstest.Encode(t, "e", now.AddDate(0, 0, i).UnixMilli()))
	}

	pointstest.Read(t, s, pool, "a", st)

	pointstest.Eventually(t, pool, 34, total)
	require.Equal(t, 33, pointstest.Count(t, pool, partitions))
	require.Equal(t, 70, pointstest.Count(t, pool, `SELECT count(*) FROM shardgroup.dead_records`))

	_, err := pool.Exec(t.Context(), `UPDATE history.days SET created_at = created_at - interval '1 day'`)
	require.NoError(t, err)
	s.Put("0", "f", pointstest.Encode(t, "f", day2013+200*86_400_000))
	pointstest.Eventually(t, pool, 35, total)
}
