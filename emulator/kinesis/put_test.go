package kinesis

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// A call that is over a shard's limit fails in part: what the shard still takes
// can be read, in order, and the rest cannot.
func TestPutRecordsFailsInPart(t *testing.T) {
	clock := newManual()
	s, c := fresh(t, Options{Now: clock.now, Limits: true}, 2)
	many := entries(500)

	for i := range many {
		many[i].ExplicitHashKey = aws.String("0") // one shard
	}
	taken := 0

	for range 3 {
		out, err := c.PutRecords(t.Context(), &sdk.PutRecordsInput{StreamName: &c.stream, Records: many})
		require.NoError(t, err)
		failed := 0

		for _, r := range out.Records {
			if r.ErrorCode != nil {
				require.Equal(t, throttled, *r.ErrorCode)
				require.Contains(t, *r.ErrorMessage, *shardOf(0))
				require.Nil(t, r.SequenceNumber)
				failed++
			}
		}

		require.Equal(t, failed, int(*out.FailedRecordCount))

		taken += len(many) - failed
	}

	require.Equal(t, writeRecords, taken)

	_, err := c.PutRecord(t.Context(), &sdk.PutRecordInput{StreamName: &c.stream, PartitionKey: aws.String("k"), ExplicitHashKey: aws.String("0"), Data: []byte("x")})
	requireCode(t, err, throttled)

	last := lastHash().String()
	_, err = c.PutRecord(t.Context(), &sdk.PutRecordInput{StreamName: &c.stream, PartitionKey: aws.String("k"), ExplicitHashKey: &last, Data: []byte("x")})
	require.NoError(t, err, "another shard")
	records, _ := c.drain(*shardOf(0))
	require.Len(t, records, writeRecords)

	clock.pass(time.Second)
	look := s.Look()
	require.Equal(t, int64(501), look[0].WriteThrottles)
	require.Equal(t, int64(writeRecords), look[0].Records)
	require.InDelta(t, writeRecords/rateSeconds, look[0].InRecords, 0.01)
	require.InDelta(t, writeRecords/rateSeconds, look[0].OutRecords, 0.01)
	require.Positive(t, look[0].InBytes*look[0].OutBytes)
	require.InDelta(t, 0.1, look[1].InRecords, 0.01)

	clock.pass((rateSeconds + 1) * time.Second)
	require.Zero(t, s.Look()[0].InRecords, "a rate is of the last ten seconds")
	require.Equal(t, int64(writeRecords), s.Look()[0].Records)
}

func TestAShardTakesAMegabyteASecond(t *testing.T) {
	clock := newManual()
	_, c := fresh(t, Options{Now: clock.now, Limits: true}, 1)
	c.stream = "large"
	_, err := c.CreateStream(t.Context(), &sdk.CreateStreamInput{StreamName: &c.stream, ShardCount: aws.Int32(1), MaxRecordSizeInKiB: aws.Int32(4096)})
	require.NoError(t, err)

	put := func(size int) error {
		_, err := c.PutRecord(t.Context(), &sdk.PutRecordInput{StreamName: &c.stream, PartitionKey: aws.String("k"), Data: make([]byte, size-1)})
		return err
	}

	require.NoError(t, put(1<<19))
	require.NoError(t, put(1<<19))
	requireCode(t, put(1<<19), throttled)

	clock.pass(time.Second / 2)
	require.NoError(t, put(1<<19))
	clock.pass(time.Second)
	require.NoError(t, put(4<<20), "a large record is taken when the second before was idle, and then paid for")
	clock.pass(3 * time.Second)
	requireCode(t, put(1<<19), throttled)

	clock.pass(time.Second)
	require.NoError(t, put(1<<19))
}

func TestWhatIsRefused(t *testing.T) {
	s, c := fresh(t, Options{}, 2)
	put := func(key string, size int, hash *string) error {
		_, err := c.PutRecord(t.Context(), &sdk.PutRecordInput{StreamName: &c.stream, PartitionKey: &key, ExplicitHashKey: hash, Data: make([]byte, size)})
		return err
	}

	require.NoError(t, put(strings.Repeat("ü", maxKey), 1, nil), "characters count, not bytes")
	require.NoError(t, put("k", 1<<20-1, nil), "the key counts")
	requireCode(t, put(strings.Repeat("ü", maxKey+1), 1, nil), "ValidationException")
	requireCode(t, put("", 1, nil), "ValidationException")
	requireCode(t, put("k", 1<<20, nil), "ValidationException")

	for _, hash := range []string{"340282366920938463463374607431768211456", "-1", "x", "01"} {
		requireCode(t, put("k", 1, &hash), "InvalidArgumentException")
	}
	many := func(n, size int) error {
		records := make([]types.PutRecordsRequestEntry, n)
		for i := range records {
			records[i] = types.PutRecordsRequestEntry{PartitionKey: aws.String("k"), Data: make([]byte, size)}
		}
		_, err := c.PutRecords(t.Context(), &sdk.PutRecordsInput{StreamName: &c.stream, Records: records})

		return err
	}

	requireCode(t, many(0, 0), "ValidationException")
	requireCode(t, many(501, 1), "ValidationException")
	requireCode(t, many(11, 1<<20-1), "InvalidArgumentException")

	split := func(shard int, at string) error {
		_, err := c.SplitShard(t.Context(), &sdk.SplitShardInput{StreamName: &c.stream, ShardToSplit: shardOf(shard), NewStartingHashKey: &at})
		return err
	}

	middle := boundary(1, 2)
	requireCode(t, split(0, "0"), "InvalidArgumentException")
	requireCode(t, split(0, middle.previous().String()), "InvalidArgumentException")
	requireCode(t, split(1, middle.next().String()), "InvalidArgumentException")
	requireCode(t, split(5, "9"), "ResourceNotFoundException")

	require.NoError(t, split(0, boundary(1, 4).String()))
	requireCode(t, split(0, boundary(1, 8).String()), "InvalidArgumentException")

	merge := func(a, b int) error {
		_, err := c.MergeShards(t.Context(), &sdk.MergeShardsInput{StreamName: &c.stream, ShardToMerge: shardOf(a), AdjacentShardToMerge: shardOf(b)})
		return err
	}

	requireCode(t, merge(1, 2), "InvalidArgumentException") // the first and the last
	requireCode(t, merge(2, 2), "InvalidArgumentException")
	requireCode(t, merge(0, 1), "InvalidArgumentException")
	requireCode(t, merge(2, 9), "ResourceNotFoundException")

	require.NoError(t, merge(3, 1))
	update := func(to int32, kind types.ScalingType) error {
		_, err := c.UpdateShardCount(t.Context(), &sdk.UpdateShardCountInput{StreamName: &c.stream, TargetShardCount: &to, ScalingType: kind})
		return err
	}

	requireCode(t, update(5, types.ScalingTypeUniformScaling), "InvalidArgumentException")
	requireCode(t, update(2, types.ScalingTypeUniformScaling), "InvalidArgumentException")
	requireCode(t, update(4, "OTHER"), "ValidationException")

	require.NoError(t, update(4, types.ScalingTypeUniformScaling))
	requireCode(t, update(1, types.ScalingTypeUniformScaling), "InvalidArgumentException")
	require.Len(t, s.streams["stream"].open, 4)
	require.Error(t, s.Create("stream", 1, 24))
	require.Error(t, s.Create("another", maxShards+1, 24))
	require.Error(t, s.Create("another", 1, 23))
	require.False(t, s.Has("another"))
}

// Where a shard's write fails, its records fail by themselves; the others are
// there.
func TestAWriteThatFails(t *testing.T) {
	s, c := fresh(t, Options{Dir: t.TempDir()}, 2)
	broken := s.streams["stream"].byID[*shardOf(0)].log.dir
	require.NoError(t, os.MkdirAll(streamDir(s.o.Dir, s.streams["stream"].info), 0o700))
	require.NoError(t, os.WriteFile(broken, nil, 0o600)) // where a folder belongs
	records := []types.PutRecordsRequestEntry{
		{PartitionKey: aws.String("a"), ExplicitHashKey: aws.String("0"), Data: []byte("lost")},
		{PartitionKey: aws.String("b"), ExplicitHashKey: aws.String(lastHash().String()), Data: []byte("kept")},
	}

	out, err := c.PutRecords(t.Context(), &sdk.PutRecordsInput{StreamName: &c.stream, Records: records})
	require.NoError(t, err)
	require.Equal(t, int32(1), *out.FailedRecordCount)
	require.Equal(t, "InternalFailure", *out.Records[0].ErrorCode)
	require.Equal(t, *shardOf(1), *out.Records[1].ShardId)

	_, err = c.PutRecord(t.Context(), &sdk.PutRecordInput{StreamName: &c.stream, PartitionKey: aws.String("a"), ExplicitHashKey: aws.String("0"), Data: []byte("lost")})
	requireCode(t, err, "InternalFailure")

	require.NoError(t, os.Remove(broken))
	_, err = c.PutRecords(t.Context(), &sdk.PutRecordsInput{StreamName: &c.stream, Records: records})
	require.NoError(t, err)
	got, _ := c.drain(*shardOf(0))
	require.Equal(t, []string{"lost"}, data(got), "only what was acknowledged")
}
