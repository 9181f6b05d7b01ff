package replay

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/history"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/pointstest"
)

// Through a reshard, with repeats of before the span and within it, and a point that does
// not rise above what came before the span: the same rows; and rows that were lost, changed
// or invented are made good, while those outside of the span stay as they are.
func TestHistoryBecomesWhatTheStreamSays(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.read(t)
	drivers := []string{"a", "b", "c", "d", "e"}
	late := time.Date(2014, 2, 3, 4, 5, 0, 0, time.UTC).UnixMilli()

	s.one(t, "late", pointstest.Encode(t, "late", late+500))
	from := s.put(t, drivers, 0, 10, 51)
	s.put(t, drivers, 5, 15, 101)                        // half of them repeats of before the span
	s.one(t, "late", pointstest.Encode(t, "late", late)) // below the mark of before the span
	s.one(t, "late", []byte("no point"))
	s.stored(t, 102)
	s.split(t)
	s.put(t, drivers, 15, 10, 127) // half of them repeats of what the parent has
	to := s.put(t, drivers, 25, 5, 152)
	s.put(t, drivers, 30, 10, 202)
	span := Span{from, to}
	s.passed(t, history.Name, span)
	require.Equal(t, 1, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM history.points WHERE not_rising`))
	outside := `SELECT md5(string_agg(p::text, ' ' ORDER BY driver, seq)) FROM history.points p WHERE arrived_at < $1 OR arrived_at >= $2`
	var was, is string
	require.NoError(t, s.pool.QueryRow(t.Context(), outside, from, to).Scan(&was))

	first, err := History(t.Context(), s.config(span))
	require.NoError(t, err)
	require.True(t, first.Equal, first)
	require.EqualValues(t, 101, first.Before.Rows)

	s.exec(t, `DELETE FROM history.points WHERE driver = 'b' AND arrived_at >= $1 AND arrived_at < $2`, from, to)
	s.exec(t, `UPDATE history.points SET lat = 0, speed = NULL WHERE driver = 'c' AND arrived_at >= $1 AND arrived_at < $2`, from, to)
	s.exec(t, `UPDATE history.points SET not_rising = NOT not_rising WHERE driver IN ('d', 'late') AND arrived_at >= $1 AND arrived_at < $2`, from, to)
	s.exec(t, `INSERT INTO history.points SELECT day, 'invented', seq, at, lat, lon, speed, heading, accuracy, arrived_at, shard, not_rising, taken_at
		FROM history.points WHERE driver = 'a' AND arrived_at >= $1 AND arrived_at < $2`, from, to)

	dry := s.config(span)
	dry.DryRun = true
	looked, err := History(t.Context(), dry)
	require.NoError(t, err)
	require.False(t, looked.Equal)
	require.Contains(t, dry.Out.(*bytes.Buffer).String(), "nothing was changed")
	require.Equal(t, 20, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM history.points WHERE driver = 'invented'`))

	mended, err := History(t.Context(), s.config(span))
	require.NoError(t, err)
	require.False(t, mended.Equal)
	require.Equal(t, looked.Before, mended.Before)
	require.Equal(t, first.After, mended.After)
	again, err := History(t.Context(), s.config(span))
	require.NoError(t, err)
	require.True(t, again.Equal)
	require.Equal(t, first.After, again.After)
	require.NoError(t, s.pool.QueryRow(t.Context(), outside, from, to).Scan(&is))
	require.Equal(t, was, is)
}

// What was taken out on purpose stays out: a day that was dropped, what is
// parked, and an erased driver's points.
func TestHistoryBringsNothingBackThatLeft(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.read(t)
	from := s.put(t, []string{"before"}, 0, 1, 1)
	s.put(t, []string{"a", "b"}, 0, 10, 21)
	to := s.put(t, []string{"c"}, 0, 1, 22)
	span := Span{from, to}
	s.passed(t, history.Name, span)

	// The third point of a's aggregate, as if a reader had refused it.
	s.exec(t, `INSERT INTO shardgroup.dead_records (stream_id, shard, sequence, sub, key, data, arrived_at, reason)
		SELECT c.stream_id, c.shard, $1, 2, 'a', '', $2, 'test' FROM shardgroup.checkpoints c WHERE c.shard = $3`, s.recordOf(t, "a")...)
	s.exec(t, `DELETE FROM history.points WHERE driver = 'a' AND seq = (SELECT seq FROM history.points WHERE driver = 'a' ORDER BY seq OFFSET 2 LIMIT 1)`)
	done, err := History(t.Context(), s.config(span))
	require.NoError(t, err)
	require.True(t, done.Equal)
	require.EqualValues(t, 20, done.After.Rows)

	// It comes back while the span is read: what is being compared is not the whole then.
	sent := s.config(span)
	sent.client = sentBack{s.stream, func() { s.exec(t, `UPDATE shardgroup.dead_records SET returned_at = now()`) }}
	_, err = History(t.Context(), sent)
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "was sent back meanwhile")
	s.exec(t, `UPDATE shardgroup.dead_records SET returned_at = NULL`)

	// b is erased: its rows are left to whoever erases them, and do not come back.
	s.exec(t, `INSERT INTO history.erased SELECT 'b', now(), max(seq) FROM history.points WHERE driver = 'b'`)
	for _, erase := range []string{`UPDATE history.points SET lat = 0 WHERE driver = 'b'`, `DELETE FROM history.points WHERE driver = 'b' AND lat = 0`} {
		s.exec(t, erase)
		done, err = History(t.Context(), s.config(span))
		require.NoError(t, err)
		require.True(t, done.Equal)
		require.EqualValues(t, 10, done.After.Rows)
	}

	_, err = s.pool.Exec(t.Context(), `DROP TABLE history.`+day)
	require.NoError(t, err)
	s.exec(t, `INSERT INTO history.days (day, dropped_at) VALUES ('2014-02-03', now()) ON CONFLICT (day) DO UPDATE SET dropped_at = now()`)
	cfg := s.config(span)
	done, err = History(t.Context(), cfg)
	require.NoError(t, err)
	require.True(t, done.Equal)
	require.Zero(t, done.After.Rows)
	require.Contains(t, cfg.Out.(*bytes.Buffer).String(), "20 points of days that were dropped")
	require.Equal(t, 0, pointstest.Count(t, s.pool, `SELECT count(to_regclass('history.`+day+`'))::int`))
}

// recordOf returns the sequence number, arrival and shard of the aggregate that begins
// with a driver's point.
func (s *stage) recordOf(t *testing.T, driver string) []any {
	t.Helper()
	r, err := shardreader.New(shardreader.Options{Client: s.stream, Stream: "driver-locations", Empty: true})
	require.NoError(t, err)
	shards, err := r.Shards(t.Context())
	require.NoError(t, err)
	var out []any
	for _, sh := range shards {
		err := r.Shard(t.Context(), sh.ID, shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
			for _, rec := range b.Records {
				if rec.Key == driver && rec.Sub == 2 {
					out = []any{rec.Sequence, rec.Arrived, rec.Shard}
				}
			}
			if b.Behind == 0 {
				return errEnd
			}
			return nil
		})
		require.ErrorIs(t, err, errEnd)
	}
	require.NotNil(t, out)
	return out
}

func TestWhatCannotBeReplayedIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	now := time.Now()
	refused := func(span Span, why string) {
		t.Helper()
		_, err := History(t.Context(), s.config(span))
		require.ErrorIs(t, err, ErrRefused)
		require.ErrorContains(t, err, why)
	}
	pointstest.Put(t, s.stream, []string{"a"}, 0, 1)
	refused(Span{now, now}, "is empty")
	refused(Span{now.Add(-time.Hour), now}, "was created after that")
	refused(Span{time.Now(), time.Now().Add(time.Minute)}, "has not begun to read the shard")

	s.read(t)
	from := s.stored(t, 1)
	s.put(t, []string{"a", "b", "c"}, 1, 10, 31)
	to := s.put(t, []string{"d"}, 0, 1, 32)
	span := Span{from, to}
	refused(Span{from, time.Now().Add(time.Minute)}, "history has applied")
	s.passed(t, history.Name, span)

	// The stream forgets all but the last record, before its time: nothing is lost by it.
	early := s.config(span)
	early.client = forgetful{s.stream, to.Add(-time.Millisecond), 24}
	_, err := History(t.Context(), early)
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "30 points of the span that the stream does not keep any more")
	require.Equal(t, 32, pointstest.Count(t, s.pool, rows))

	// The same where the reader was sent to what comes next: its checkpoints are empty, as
	// those of shards that never had a record are.
	states, err := shardgroup.States(t.Context(), s.pool, history.Name)
	require.NoError(t, err)
	require.NoError(t, pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error { return shardgroup.Seek(t.Context(), tx, time.Now(), states...) }))
	s.passed(t, history.Name, span)
	require.Zero(t, pointstest.Count(t, s.pool, `SELECT count(*)::int FROM shardgroup.checkpoints WHERE sequence <> ''`))
	_, err = History(t.Context(), early)
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "30 points of the span that the stream does not keep any more")

	old := s.config(span)
	old.client = forgetful{s.stream, time.Time{}, 0}
	_, err = History(t.Context(), old)
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "the stream keeps what arrived since")

	other, err := history.NewReplay(t.Context(), s.pool, from, to)
	require.NoError(t, err)
	refused(span, "another replay")
	other.Close()
	done, err := History(t.Context(), s.config(span))
	require.NoError(t, err)
	require.True(t, done.Equal)

	back := s.config(span)
	back.client = meanwhile{s.stream, s.sendBack}
	_, err = History(t.Context(), back)
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "history has applied")
}

// sendBack pauses history, as if it had been sent back to where it began.
func (s *stage) sendBack(ctx context.Context) {
	_, _ = s.pool.Exec(ctx, `UPDATE shardgroup.leases l SET owner = NULL, epoch = epoch + 1, paused_at = now(), since = '2013-07-01'
		FROM shardgroup.streams s WHERE s.id = l.stream_id AND s.group_name = 'history'`)
	_, _ = s.pool.Exec(ctx, `UPDATE shardgroup.checkpoints c SET arrived_at = NULL, tip_at = NULL
		FROM shardgroup.streams s WHERE s.id = c.stream_id AND s.group_name = 'history'`)
}

// meanwhile is a stream beside which something is done before each answer.
type meanwhile struct {
	*kinesis.Client
	do func(context.Context)
}

func (m meanwhile) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	m.do(ctx)
	return m.Client.GetRecords(ctx, in, opts...)
}

// sentBack calls meanwhile with each look at the records.
type sentBack struct {
	*kinesis.Client
	meanwhile func()
}

func (s sentBack) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	s.meanwhile()
	return s.Client.GetRecords(ctx, in, opts...)
}

// forgetful is a stream that has dropped what arrived before since, and keeps so many hours.
type forgetful struct {
	*kinesis.Client
	since time.Time
	hours int32
}

func (f forgetful) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	out, err := f.Client.GetRecords(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	for len(out.Records) > 0 && out.Records[0].ApproximateArrivalTimestamp.Before(f.since) {
		out.Records = out.Records[1:]
	}
	return out, nil
}

func (f forgetful) DescribeStreamSummary(ctx context.Context, in *kinesis.DescribeStreamSummaryInput, opts ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	out, err := f.Client.DescribeStreamSummary(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	out.StreamDescriptionSummary.RetentionPeriodHours = aws.Int32(f.hours)
	return out, nil
}
