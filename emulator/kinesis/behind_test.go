package kinesis

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reader is as far behind as the last record that it got is old, however young
// the next one is, and not behind at all once it has got the last one.
func TestBehindIsTheLastRecordReadAndTheTip(t *testing.T) {
	clock := newManual()
	s, c := fresh(t, Options{Now: clock.now}, 1)
	putOne(t, s, "k", "old")
	clock.pass(time.Minute)
	putOne(t, s, "k", "young")
	clock.pass(time.Second)

	it := c.iterator(*shardOf(0), types.ShardIteratorTypeTrimHorizon)
	first, err := c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &it, Limit: aws.Int32(1)})
	require.NoError(t, err)
	require.Equal(t, []string{"old"}, data(first.Records))
	require.EqualValues(t, 61_000, *first.MillisBehindLatest)

	second, err := c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: first.NextShardIterator, Limit: aws.Int32(1)})
	require.NoError(t, err)
	require.Equal(t, []string{"young"}, data(second.Records))
	require.Zero(t, *second.MillisBehindLatest)
}

// A subscription's events say the same: a record that fills an event is as old as
// the subscriber is behind.
func TestASubscriberIsBehindLikeAReader(t *testing.T) {
	clock := newManual()
	s := open(t, Options{Now: clock.now})
	require.NoError(t, s.Create("stream", 1, 24))
	putOne(t, s, "k", string(make([]byte, maxEventBytes-1)))
	clock.pass(time.Minute)
	putOne(t, s, "k", "young")
	clock.pass(time.Second)

	f := &fanOut{s: s, shard: s.streams["stream"].byID[*shardOf(0)], rate: bucket{perSecond: readBytes}}
	for _, want := range []int{61_000, 0} {
		b, w, err := f.read()
		require.NoError(t, err)
		require.Equal(t, 1, b.count)

		var event struct{ MillisBehindLatest int }
		require.NoError(t, json.Unmarshal(f.event(b, w), &event))
		require.Equal(t, want, event.MillisBehindLatest)
	}
}

// A reader whose disk does not answer holds up nobody: puts to the same shard,
// other readers, and every change of streams go on.
func TestASlowReadHoldsNoLock(t *testing.T) {
	clock := newManual()
	s, c := fresh(t, Options{Now: clock.now}, 2)
	require.NoError(t, s.Create("other", 1, 24))
	for range 8 { // to both shards
		putOne(t, s, time.Now().String(), "x")
	}
	sh := s.streams["stream"].open[0]
	segment := sh.log.segments[0].path
	require.NoError(t, os.Remove(segment))
	require.NoError(t, syscall.Mkfifo(segment, 0o600)) // to open it waits for a writer

	done := make(chan error, 1)
	it := c.iterator(sh.id, types.ShardIteratorTypeTrimHorizon)
	go func() {
		_, err := c.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &it})
		done <- err
	}()
	require.Eventually(t, func() bool { // it waits for the file
		stacks := make([]byte, 1<<20)
		return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "kinesis.span.read(")
	}, 30*time.Second, time.Millisecond)

	// Opened for writing, the pipe lets the reader go on: after this test's calls,
	// or in their stead where they wait for the reader.
	release := func() {
		fd, err := syscall.Open(segment, syscall.O_WRONLY, 0)
		assert.NoError(t, err)
		assert.NoError(t, syscall.Close(fd))
	}
	late := time.AfterFunc(30*time.Second, release)

	putOne(t, s, "k", "x")
	putOne(t, s, "l", "x")
	texts(t, s, *shardOf(1), position{Type: "TRIM_HORIZON"})
	require.NoError(t, s.Create("third", 1, 24))
	require.NoError(t, s.Register("stream", "reader"))
	_, err := s.deleteStream(t.Context(), deleteIn{target: target{StreamName: "other"}})
	require.NoError(t, err)
	_, err = s.split(t.Context(), splitIn{target{StreamName: "stream"}, *shardOf(1), boundary(3, 4).String()})
	require.NoError(t, err)
	clock.pass(pruneEvery)
	s.prune(clock.now())

	require.True(t, late.Stop(), "a slow read holds a lock that others need")
	release()
	require.Error(t, <-done, "a pipe is no segment")
}
