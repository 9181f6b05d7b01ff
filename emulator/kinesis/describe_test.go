package kinesis

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func ids(shards []types.Shard) (out []int) {
	for _, sh := range shards {
		var n int
		_, _ = fmt.Sscanf(*sh.ShardId, "shardId-%d", &n)
		out = append(out, n)
	}

	return out
}

// Every list comes whole in pages of any size.
func TestPages(t *testing.T) {
	clock := newManual()
	s, c := fresh(t, Options{Now: clock.now}, 7)
	for i := range 4 {
		require.NoError(t, s.Create(fmt.Sprint("more", i), 1, 24))
		require.NoError(t, s.Register("stream", fmt.Sprint("consumer", i)))
	}

	for size := int32(1); size < 9; size++ {
		var shards []types.Shard
		in := &sdk.ListShardsInput{StreamName: &c.stream, MaxResults: &size}
		for {
			out, err := c.ListShards(t.Context(), in)
			require.NoError(t, err)
			require.LessOrEqual(t, len(out.Shards), int(size))

			shards = append(shards, out.Shards...)
			if out.NextToken == nil {
				break
			}
			in = &sdk.ListShardsInput{NextToken: out.NextToken, MaxResults: &size}
		}

		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, ids(shards))

		shards = nil
		describe := &sdk.DescribeStreamInput{StreamName: &c.stream, Limit: &size}
		for more := true; more; {
			out, err := c.DescribeStream(t.Context(), describe)
			require.NoError(t, err)
			shards = append(shards, out.StreamDescription.Shards...)
			more = *out.StreamDescription.HasMoreShards
			describe.ExclusiveStartShardId = shards[len(shards)-1].ShardId
		}

		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, ids(shards))

		var consumers, streams []string
		byConsumer := sdk.NewListStreamConsumersPaginator(c, &sdk.ListStreamConsumersInput{StreamARN: aws.String(streamARN(c.stream)), MaxResults: &size})
		for byConsumer.HasMorePages() {
			out, err := byConsumer.NextPage(t.Context())
			require.NoError(t, err)
			for _, one := range out.Consumers {
				consumers = append(consumers, *one.ConsumerName)
			}
		}

		require.Equal(t, []string{"consumer0", "consumer1", "consumer2", "consumer3"}, consumers)

		byStream := sdk.NewListStreamsPaginator(c, &sdk.ListStreamsInput{Limit: &size})
		for byStream.HasMorePages() {
			out, err := byStream.NextPage(t.Context())
			require.NoError(t, err)
			streams = append(streams, out.StreamNames...)
		}

		require.Equal(t, []string{"more0", "more1", "more2", "more3", "stream"}, streams)
	}

	out, err := c.ListShards(t.Context(), &sdk.ListShardsInput{StreamName: &c.stream, MaxResults: aws.Int32(1)})
	require.NoError(t, err)
	clock.pass(tokenLife + time.Millisecond)
	_, err = c.ListShards(t.Context(), &sdk.ListShardsInput{NextToken: out.NextToken})
	requireCode(t, err, "ExpiredNextTokenException")
}

// One shard, split after an hour into two, one of them split after two.
func TestShardFilters(t *testing.T) {
	clock := newManual()
	_, c := fresh(t, Options{Now: clock.now}, 1)
	start := clock.now()
	split := func(shard, part, of int) {
		clock.pass(time.Hour)
		_, err := c.SplitShard(t.Context(), &sdk.SplitShardInput{StreamName: &c.stream, ShardToSplit: shardOf(shard), NewStartingHashKey: aws.String(boundary(part, of).String())})
		require.NoError(t, err)
	}

	split(0, 1, 2)
	split(2, 3, 4)
	clock.pass(time.Hour)
	at := func(d time.Duration) *time.Time { return aws.Time(start.Add(d)) }
	list := func(f types.ShardFilter) []int {
		out, err := c.ListShards(t.Context(), &sdk.ListShardsInput{StreamName: &c.stream, ShardFilter: &f})
		require.NoError(t, err)
		return ids(out.Shards)
	}

	for _, tc := range []struct {
		filter types.ShardFilter
		want   []int
	}{
		{types.ShardFilter{Type: "AFTER_SHARD_ID", ShardId: shardOf(2)}, []int{3, 4}},
		{types.ShardFilter{Type: "AT_LATEST"}, []int{1, 3, 4}},
		{types.ShardFilter{Type: "AT_TRIM_HORIZON"}, []int{0}},
		{types.ShardFilter{Type: "FROM_TRIM_HORIZON"}, []int{0, 1, 2, 3, 4}},
		{types.ShardFilter{Type: "AT_TIMESTAMP", Timestamp: at(30 * time.Minute)}, []int{0}},
		{types.ShardFilter{Type: "AT_TIMESTAMP", Timestamp: at(90 * time.Minute)}, []int{1, 2}},
		{types.ShardFilter{Type: "AT_TIMESTAMP", Timestamp: at(150 * time.Minute)}, []int{1, 3, 4}},
		{types.ShardFilter{Type: "AT_TIMESTAMP", Timestamp: at(-time.Hour)}, []int{0}},
		{types.ShardFilter{Type: "FROM_TIMESTAMP", Timestamp: at(90 * time.Minute)}, []int{1, 2, 3, 4}},
		{types.ShardFilter{Type: "FROM_TIMESTAMP", Timestamp: at(-time.Hour)}, []int{0, 1, 2, 3, 4}},
	} {
		require.Equal(t, tc.want, list(tc.filter), "%+v", tc.filter)
	}

	clock.at = start.Add(24*time.Hour + 90*time.Minute) // the first is out of retention
	require.Equal(t, []int{1, 2}, list(types.ShardFilter{Type: "AT_TRIM_HORIZON"}))
	require.Equal(t, []int{1, 2, 3, 4}, list(types.ShardFilter{Type: "FROM_TRIM_HORIZON"}))

	_, err := c.ListShards(t.Context(), &sdk.ListShardsInput{StreamName: &c.stream, StreamCreationTimestamp: at(-time.Hour)})
	requireCode(t, err, "ResourceNotFoundException")
}

// A save that fails leaves everything as it was.
func TestASaveThatFailsChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s, c := fresh(t, Options{Dir: dir}, 2)
	c.put("k", "before")
	before := s.streams["stream"].info
	blocker := s.topologyPath() + ".new"
	require.NoError(t, os.Mkdir(blocker, 0o700))

	for name, change := range map[string]func() error{
		"create":   func() error { return s.Create("another", 1, 24) },
		"register": func() error { return s.Register("stream", "one") },
		"encrypt":  func() error { return s.SetEncryption("stream", "alias/aws/kinesis") },
		"split": func() error {
			_, err := c.SplitShard(t.Context(), &sdk.SplitShardInput{StreamName: &c.stream, ShardToSplit: shardOf(0), NewStartingHashKey: aws.String(boundary(1, 4).String())})
			return err
		},
		"delete": func() error {
			_, err := c.DeleteStream(t.Context(), &sdk.DeleteStreamInput{StreamName: &c.stream})
			return err
		},
	} {
		require.Error(t, change(), name)
	}

	require.Same(t, before, s.streams["stream"].info)
	require.False(t, s.Has("another"))

	c.put("k", "after")
	require.NoError(t, os.Remove(blocker))
	require.NoError(t, s.Register("stream", "one"))
	var all []string

	for _, sh := range c.shards() {
		records, ended := c.drain(*sh.ShardId)
		require.False(t, ended)
		all = append(all, data(records)...)
	}

	require.Equal(t, []string{"before", "after"}, all)
}
