package kinesis

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/emulator/wire"
)

// Killed between the topology's saving and the removal of what it no longer
// names, the next start removes it; a later stream of the name does not find it.
func TestWhatADeletionLeftIsRemoved(t *testing.T) {
	clock, dir := newManual(), t.TempDir()
	s, err := Open(Options{Now: clock.now, Dir: dir})
	require.NoError(t, err)
	require.NoError(t, s.Create("stream", 1, 24))
	putOne(t, s, "k", "kept")
	deleted := filepath.Join(dir, "other-1700000000000", *shardOf(0))
	expired := filepath.Join(streamDir(dir, s.streams["stream"].info), *shardOf(7))

	for _, left := range []string{deleted, expired} {
		require.NoError(t, os.MkdirAll(left, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(left, "0.segment"), []byte("left"), 0o600))
	}

	require.NoError(t, s.Close())
	s = open(t, Options{Now: clock.now, Dir: dir})
	require.NoDirExists(t, filepath.Dir(deleted))
	require.NoDirExists(t, expired)
	require.Equal(t, []string{"kept"}, texts(t, s, *shardOf(0), position{Type: "TRIM_HORIZON"}))
}

// A reader in the midst of a stream that is deleted finds its end, not an error
// about files.
func TestDeletedWhileItIsRead(t *testing.T) {
	clock := newManual()
	s := open(t, Options{Now: clock.now})
	require.NoError(t, s.Create("stream", 1, 24))

	for _, text := range []string{"1", "2", "3"} { // a segment each
		putOne(t, s, "k", text)
		clock.pass(segmentAge + time.Millisecond)
	}

	sh, n := s.streams["stream"].byID[*shardOf(0)], 0
	w, err := s.scan(sh, 0, func(record) bool {
		if n++; n == 1 {
			_, err := s.deleteStream(t.Context(), deleteIn{target: target{StreamName: "stream"}})
			require.NoError(t, err)
		}
		return true
	})
	require.NoError(t, err)
	require.False(t, w.stopped || w.ended)
	require.Equal(t, 1, n)

	_, err = s.putRecord(t.Context(), putIn{target{StreamName: "stream"}, putEntry{PartitionKey: "k"}})
	require.ErrorContains(t, err, "ResourceNotFoundException")
}

// A time after the last record is the tip: what comes then is read. Where a
// segment's file is lost, a time in it is an error, not an endless search.
func TestTimesAtTheEdges(t *testing.T) {
	clock := newManual()
	s := open(t, Options{Now: clock.now})
	require.NoError(t, s.Create("stream", 1, 24))
	start := wire.Seconds(clock.now())
	putOne(t, s, "k", "1")
	clock.pass(time.Second)
	st := s.streams["stream"]
	sh := st.byID[*shardOf(0)]
	now := wire.Seconds(clock.now())
	seq, err := s.start(st, sh, position{Type: "AT_TIMESTAMP", Timestamp: &now})
	require.NoError(t, err)

	putOne(t, s, "k", "2")
	require.Equal(t, []string{"2"}, texts(t, s, sh.id, position{Type: "AT_SEQUENCE_NUMBER", SequenceNumber: sequenceText(seq)}))

	path := sh.log.segments[0].path
	require.NoError(t, os.Rename(path, path+".lost"))
	_, err = s.start(st, sh, position{Type: "AT_TIMESTAMP", Timestamp: &start})
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.Rename(path+".lost", path))
}

// Segments that cannot be begun leave nothing behind, and cost no later record.
func TestASegmentThatCannotBegin(t *testing.T) {
	clock := newManual()
	s := open(t, Options{Now: clock.now, Fsync: true})
	require.NoError(t, s.Create("stream", 1, 24))
	putOne(t, s, "k", "1")
	sh := s.streams["stream"].byID[*shardOf(0)]
	index := sh.log.segments[0].indexPath()
	require.NoError(t, os.Mkdir(index, 0o700)) // where a file belongs
	clock.pass(segmentAge + time.Millisecond)

	for range 3 {
		_, err := s.putRecord(t.Context(), putIn{target{StreamName: "stream"}, putEntry{PartitionKey: "k"}})
		require.ErrorContains(t, err, "InternalFailure")
	}

	require.Len(t, files(t, sh.log.dir), 2)

	require.NoError(t, os.Remove(index))
	putOne(t, s, "k", "2")
	require.Len(t, files(t, sh.log.dir), 3)
	require.Equal(t, []string{"1", "2"}, texts(t, s, sh.id, position{Type: string(types.ShardIteratorTypeTrimHorizon)}))
}

// Where the machine's clock has gone back, arrival and sequences have not, and
// what is out of retention still goes.
func TestTheClockGoesBack(t *testing.T) {
	clock := newManual()
	s := open(t, Options{Now: clock.now})
	require.NoError(t, s.Create("stream", 1, 24))
	start := clock.at
	clock.at = start.Add(30 * 24 * time.Hour)
	putOne(t, s, "k", "future") // prunes
	clock.at = start
	putOne(t, s, "k", "now")
	require.Equal(t, []string{"future", "now"}, texts(t, s, *shardOf(0), position{Type: "TRIM_HORIZON"}))
	require.False(t, consumer{Created: start.Add(time.Hour).UnixMilli()}.creating(start.UnixMilli()))
	require.Equal(t, start.UnixMilli(), s.pruned.Load(), "pruning does not wait until the clock has caught up")
}
