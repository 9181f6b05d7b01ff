package kinesis

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/emulator/wire"
)

// manual is a clock that a test moves.
type manual struct{ at time.Time }

func newManual() *manual               { return &manual{time.UnixMilli(1_700_000_000_000)} }
func (m *manual) now() time.Time       { return m.at }
func (m *manual) pass(d time.Duration) { m.at = m.at.Add(d) }
func putOne(t testing.TB, s *Service, key, text string) {
	t.Helper()
	_, err := s.putRecord(t.Context(), putIn{target{StreamName: "stream"}, putEntry{Data: []byte(text), PartitionKey: key}})
	require.NoError(t, err)
}

// texts reads a shard of the stream from a position to its tip.
func texts(t testing.TB, s *Service, shard string, p position) (out []string) {
	t.Helper()
	st := s.streams["stream"]
	sh := st.byID[shard]
	seq, err := s.start(st, sh, p)
	require.NoError(t, err)

	raw, err := s.getRecords(t.Context(), getIn{ShardIterator: cursor{"stream", st.info.Created, shard, seq, s.nowMS()}.text()})
	require.NoError(t, err)
	var page struct{ Records []given }
	require.NoError(t, json.Unmarshal(raw.JSON, &page))

	for _, r := range page.Records {
		out = append(out, string(r.Data))
	}
	return out
}

func TestAnIteratorExpires(t *testing.T) {
	clock := newManual()
	_, c := fresh(t, Options{Now: clock.now, IteratorLife: time.Minute}, 1)
	it := c.iterator(*shardOf(0), types.ShardIteratorTypeLatest)
	clock.pass(time.Minute)
	out, err := c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &it})
	require.NoError(t, err)

	clock.pass(time.Millisecond)
	_, err = c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &it})
	requireCode(t, err, "ExpiredIteratorException")

	_, err = c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: out.NextShardIterator})
	require.NoError(t, err, "the next one is younger")
}

func TestIteratorsOfAStreamThatWasMadeAnew(t *testing.T) {
	clock := newManual()
	s, c := fresh(t, Options{Now: clock.now}, 1)
	it := c.iterator(*shardOf(0), types.ShardIteratorTypeLatest)
	first := c.put("k", "x")
	_, err := c.DeleteStream(t.Context(), &sdk.DeleteStreamInput{StreamName: &c.stream})
	require.NoError(t, err)

	_, err = c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &it})
	requireCode(t, err, "ResourceNotFoundException")

	clock.pass(time.Second)
	require.NoError(t, s.Create("stream", 1, 24))
	_, err = c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &it})
	requireCode(t, err, "ResourceNotFoundException")
	require.Greater(t, *c.put("k", "y").SequenceNumber, *first.SequenceNumber)

	_, err = c.GetShardIterator(t.Context(), &sdk.GetShardIteratorInput{
		StreamName: &c.stream, ShardId: shardOf(0), ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: first.SequenceNumber,
	})
	requireCode(t, err, "InvalidArgumentException")
}

// Records out of retention are not read, though their segment is still there;
// later whole segments go, and at last the closed shard itself.
func TestRetention(t *testing.T) {
	clock := newManual()
	s := open(t, Options{Now: clock.now})
	require.NoError(t, s.Create("stream", 1, 24))
	shard := *shardOf(0)
	start := clock.at
	putOne(t, s, "k", "first")
	clock.pass(segmentAge / 2)
	putOne(t, s, "k", "second")
	clock.pass(segmentAge)
	putOne(t, s, "k", "third")
	trim, dir := position{Type: "TRIM_HORIZON"}, s.streams["stream"].byID[shard].log.dir
	require.Equal(t, []string{"first", "second", "third"}, texts(t, s, shard, trim))
	require.Len(t, files(t, dir), 3, "two segments, and the index of one")

	for text, since := range map[string]time.Duration{"second": time.Millisecond, "third": segmentAge} {
		at := wire.Seconds(start.Add(since))
		require.Equal(t, text, texts(t, s, shard, position{Type: "AT_TIMESTAMP", Timestamp: &at})[0])
	}

	clock.at = start.Add(24*time.Hour + time.Millisecond)
	require.Equal(t, []string{"second", "third"}, texts(t, s, shard, trim))

	at := wire.Seconds(start)
	require.Equal(t, []string{"second", "third"}, texts(t, s, shard, position{Type: "AT_TIMESTAMP", Timestamp: &at}))

	clock.at = start.Add(24*time.Hour + segmentAge)
	_, err := s.split(t.Context(), splitIn{target{StreamName: "stream"}, shard, boundary(1, 2).String()})
	require.NoError(t, err)
	putOne(t, s, "k", "fourth") // prunes
	require.Len(t, files(t, dir), 1, "the oldest segment is gone")
	require.Equal(t, []string{"third"}, texts(t, s, shard, trim))

	clock.pass(24 * time.Hour)
	require.Len(t, listed(s), 3, "the parent's last moment is still in retention")

	clock.pass(time.Millisecond)
	require.Equal(t, []string{*shardOf(1), *shardOf(2)}, listed(s))

	clock.pass(pruneEvery)
	putOne(t, s, "k", "fifth")
	require.NoDirExists(t, dir)
	require.Len(t, s.streams["stream"].byID, 2)

	_, err = s.split(t.Context(), splitIn{target{StreamName: "stream"}, *shardOf(1), boundary(1, 4).String()})
	require.NoError(t, err)
	require.Equal(t, []string{*shardOf(1), *shardOf(2), *shardOf(3), *shardOf(4)}, listed(s), "no ID is used twice")
}

func files(t testing.TB, dir string) []os.DirEntry {
	t.Helper()
	out, err := os.ReadDir(dir)
	require.NoError(t, err)
	return out
}

func listed(s *Service) (out []string) {
	shards, _ := s.streams["stream"].info.list(s.nowMS(), "", 1000, nil)
	for _, sh := range shards {
		out = append(out, sh["ShardId"].(string))
	}
	return out
}

// The oldest segments of all shards go until what is kept fits the cap.
func TestTheCapDropsTheOldest(t *testing.T) {
	clock := newManual()
	const most = 3*segmentBytes + segmentBytes/2
	s := open(t, Options{Now: clock.now, BytesCap: most})
	require.NoError(t, s.Create("stream", 1, 24))
	big := strings.Repeat("x", 1<<20-1)

	for range 60 {
		putOne(t, s, "k", big)
		clock.pass(pruneEvery)
	}

	sh := s.streams["stream"].byID[*shardOf(0)]
	require.Less(t, sh.log.size(), int64(most+segmentBytes))
	require.Greater(t, sh.log.size(), int64(2*segmentBytes))
	require.Less(t, len(files(t, sh.log.dir)), 12)
	require.NotEmpty(t, texts(t, s, sh.id, position{Type: "TRIM_HORIZON"}))
}

// Reading holds no lock: puts go on meanwhile, and a segment that is dropped
// while its predecessor is read is passed over.
func TestReadingHoldsNothingUp(t *testing.T) {
	clock := newManual()
	s := open(t, Options{Now: clock.now})
	require.NoError(t, s.Create("stream", 1, 24))

	for _, text := range []string{"1", "2", "3"} { // a segment each
		putOne(t, s, "k", text)
		clock.pass(segmentAge + time.Millisecond)
	}

	sh := s.streams["stream"].byID[*shardOf(0)]
	var got []string
	w, err := s.scan(sh, 0, func(r record) bool {
		got = append(got, string(r.data))
		if len(got) == 1 {
			putOne(t, s, "k", "4")
			for range 2 {
				_, err := sh.drop()
				require.NoError(t, err)
			}
		}

		return true
	})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "3", "4"}, got)
	require.False(t, w.stopped)
	require.Equal(t, sh.tip(), w.next)

	// A file that is lost, not dropped, is an error, not an endless search.
	require.NoError(t, os.Remove(sh.log.segments[0].path))
	_, err = s.scan(sh, 0, func(record) bool { return true })
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.WriteFile(sh.log.segments[0].path, nil, 0o600))
}

// Where the index of a full segment is torn or wrong, the segment is read
// whole.
func TestATornIndexIsNotUsed(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"torn":    func(p string) error { return os.Truncate(p, 10) },
		"missing": os.Remove,
		"of another file": func(p string) error {
			return os.WriteFile(p, []byte(`{"marks":[{"s":1,"a":1,"o":17}],"last":{"s":1,"a":1,"o":17},"count":1,"size":1000}`), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock, dir := newManual(), t.TempDir()
			s, err := Open(Options{Now: clock.now, Dir: dir})
			require.NoError(t, err)
			require.NoError(t, s.Create("stream", 1, 24))

			for _, text := range []string{"1", "2", "3"} {
				putOne(t, s, "k", text)
				clock.pass(segmentAge + time.Millisecond)
			}

			indexes, err := filepath.Glob(filepath.Join(s.streams["stream"].byID[*shardOf(0)].log.dir, "*.index"))
			require.NoError(t, err)
			require.Len(t, indexes, 2)

			require.NoError(t, s.Close())
			require.NoError(t, spoil(indexes[0]))
			s = open(t, Options{Now: clock.now, Dir: dir})
			putOne(t, s, "k", "4")
			require.Equal(t, []string{"1", "2", "3", "4"}, texts(t, s, *shardOf(0), position{Type: "TRIM_HORIZON"}))
		})
	}
}

func TestReadLimits(t *testing.T) {
	clock := newManual()
	_, c := fresh(t, Options{Now: clock.now, Limits: true}, 1)
	it := c.iterator(*shardOf(0), types.ShardIteratorTypeTrimHorizon)
	get := func() error {
		_, err := c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &it})
		return err
	}

	for range readCalls {
		require.NoError(t, get())
	}
	requireCode(t, get(), throttled)

	clock.pass(time.Second / readCalls)
	require.NoError(t, get())
	requireCode(t, get(), throttled)

	for range 10 { // 1 MB/s in
		clock.pass(time.Second)
		_, err := c.PutRecord(t.Context(), &sdk.PutRecordInput{StreamName: &c.stream, PartitionKey: aws.String("k"), Data: make([]byte, 1<<20-1)})
		require.NoError(t, err)
	}

	clock.pass(time.Second)
	require.NoError(t, get(), "10 MiB at once")
	clock.pass(4900 * time.Millisecond)
	requireCode(t, get(), throttled)

	clock.pass(100 * time.Millisecond)
	require.NoError(t, get())
}

// What a subscription or an iterator stood at means the same after a restart,
// also where it stood at the tip.
func TestPositionsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, s.Create("stream", 2, 24))
	putOne(t, s, "k", "before")
	st := s.streams["stream"]
	sh := st.open[st.route(hashOf("k"))]
	tip := sequenceText(sh.tip() - 1)
	it := cursor{"stream", st.info.Created, sh.id, sh.tip(), s.nowMS()}.text()
	require.NoError(t, s.Close())

	s = open(t, Options{Dir: dir})
	putOne(t, s, "k", "after")
	require.Equal(t, []string{"after"}, texts(t, s, sh.id, position{Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber: tip}))

	raw, err := s.getRecords(t.Context(), getIn{ShardIterator: it})
	require.NoError(t, err)
	require.Contains(t, string(raw.JSON), `"Data":"YWZ0ZXI="`)
	require.NotContains(t, string(raw.JSON), `"Data":"YmVmb3Jl"`)
}
