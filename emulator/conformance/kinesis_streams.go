package conformance

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func streamCases() []testCase {
	retention := kinesisAPI + "API_IncreaseStreamRetentionPeriod.html"
	return []testCase{
		promise("a stream becomes ACTIVE with its shards", kinesisAPI+"API_CreateStream.html",
			"CREATING, then ACTIVE; the shards divide all hash keys, 0 to 2^128-1.", createStream),
		promise("a stream's creation time is in every description", kinesisAPI+"API_DescribeStream.html",
			"StreamCreationTimestamp is in DescribeStream, DescribeStreamSummary and ListStreams.", creationTime),
		promise("a stream is made once", kinesisAPI+"API_CreateStream.html",
			"ResourceInUseException: the name is taken.", createTwice),
		promise("a stream is named by its ARN too", kinesisAPI+"API_PutRecord.html",
			"Either StreamARN or StreamName, or both.", byARN),
		promise("what has no stream, no shard is refused by name", kinesisAPI+"API_GetShardIterator.html",
			"ResourceNotFoundException: the requested resource could not be found.", noStream),
		promise("streams are listed by page, in order of name", kinesisAPI+"API_ListStreams.html",
			"Limit, HasMoreStreams, ExclusiveStartStreamName and NextToken.", listStreams),
		promise("shards are listed by page", kinesisAPI+"API_ListShards.html",
			"MaxResults, NextToken, ExclusiveStartShardId; a token stands without a stream.", listShards),
		promise("a description lists shards by page", kinesisAPI+"API_DescribeStream.html",
			"Limit, ExclusiveStartShardId, HasMoreShards.", describePages),
		promise("retention goes up", retention, "24 to 8,760 hours; must be more than the current retention.", retentionUp),
		promise("retention goes down", kinesisAPI+"API_DecreaseStreamRetentionPeriod.html",
			"The new retention must be less than the current one, and 24 hours at least.", retentionDown),
		promise("a deleted stream is gone", kinesisAPI+"API_DeleteStream.html",
			"DELETING, then ResourceNotFoundException.", deleteStream),
		promise("a recreated stream is another stream", kinesisAPI+"API_ListShards.html",
			"StreamCreationTimestamp distinguishes data streams that have the same name.", recreated),
	}
}

func createStream(c *caseRun) {
	name := unique("conformance")
	shards := int32(3)
	_, err := c.kinesis.CreateStream(c.ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards})
	require.NoError(c, err)
	c.cleanup(func(ctx context.Context) {
		_, _ = c.kinesis.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: &name})
	})

	s, err := c.summary(name)
	require.NoError(c, err)
	require.Contains(c, []types.StreamStatus{"CREATING", "ACTIVE"}, s.StreamStatus)

	s = c.active(name)
	require.EqualValues(c, 3, *s.OpenShardCount)
	require.EqualValues(c, 24, *s.RetentionPeriodHours)
	require.Equal(c, name, *s.StreamName)
	require.True(c, strings.HasPrefix(*s.StreamARN, "arn:aws:kinesis:") && strings.HasSuffix(*s.StreamARN, ":stream/"+name), *s.StreamARN)

	next := new(big.Int)
	list := c.shards(name)
	slices.SortFunc(list, func(a, b types.Shard) int {
		return c.number(*a.HashKeyRange.StartingHashKey).Cmp(c.number(*b.HashKeyRange.StartingHashKey))
	})
	require.Len(c, list, 3)

	for _, sh := range list {
		require.Equal(c, next.String(), *sh.HashKeyRange.StartingHashKey, "no gap")
		next.Add(c.number(*sh.HashKeyRange.EndingHashKey), big.NewInt(1))
		require.Nil(c, sh.SequenceNumberRange.EndingSequenceNumber, "an open shard has no last number")
		c.number(*sh.SequenceNumberRange.StartingSequenceNumber)
	}

	require.Equal(c, new(big.Int).Lsh(big.NewInt(1), 128), next)
}

func creationTime(c *caseRun) {
	name := c.stream(1)
	s, err := c.summary(name)
	require.NoError(c, err)
	require.WithinDuration(c, time.Now(), *s.StreamCreationTimestamp, 2*time.Minute)

	d, err := c.kinesis.DescribeStream(c.ctx, &kinesis.DescribeStreamInput{StreamName: &name})
	require.NoError(c, err)
	require.Equal(c, *s.StreamCreationTimestamp, *d.StreamDescription.StreamCreationTimestamp)

	got := c.listed(name)
	require.NotNil(c, got.StreamCreationTimestamp)
	require.WithinDuration(c, *s.StreamCreationTimestamp, *got.StreamCreationTimestamp, time.Second)
	require.Equal(c, types.StreamStatusActive, got.StreamStatus)
}

// listed is what ListStreams says of a stream.
func (c *caseRun) listed(name string) types.StreamSummary {
	for in := (&kinesis.ListStreamsInput{}); ; {
		out, err := c.kinesis.ListStreams(c.ctx, in)
		require.NoError(c, err)
		for _, s := range out.StreamSummaries {
			if *s.StreamName == name {
				return s
			}
		}
		require.True(c, *out.HasMoreStreams, "no summary of the stream")
		in.ExclusiveStartStreamName = &out.StreamNames[len(out.StreamNames)-1]
	}
}

func createTwice(c *caseRun) {
	name := c.stream(1)
	_, err := c.kinesis.CreateStream(c.ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: ptr(int32(1))})
	c.refused(err, "ResourceInUseException")
}

func byARN(c *caseRun) {
	name := c.stream(1)
	arn := c.streamARN(name)

	out, err := c.kinesis.PutRecord(c.ctx, &kinesis.PutRecordInput{StreamARN: &arn, PartitionKey: ptr("k"), Data: []byte("x")})
	require.NoError(c, err)

	it, err := c.kinesis.GetShardIterator(c.ctx, &kinesis.GetShardIteratorInput{StreamARN: &arn, ShardId: out.ShardId, ShardIteratorType: "TRIM_HORIZON"})
	require.NoError(c, err)

	got, err := c.kinesis.GetRecords(c.ctx, &kinesis.GetRecordsInput{StreamARN: &arn, ShardIterator: it.ShardIterator})
	require.NoError(c, err)
	require.Equal(c, []string{"x"}, dataOf(got.Records))

	s, err := c.kinesis.DescribeStreamSummary(c.ctx, &kinesis.DescribeStreamSummaryInput{StreamARN: &arn})
	require.NoError(c, err)
	require.Equal(c, name, *s.StreamDescriptionSummary.StreamName)

	shards, err := c.kinesis.ListShards(c.ctx, &kinesis.ListShardsInput{StreamARN: &arn})
	require.NoError(c, err)
	require.Len(c, shards.Shards, 1)
}

func noStream(c *caseRun) {
	none := unique("none")
	_, err := c.summary(none)
	c.refused(err, "ResourceNotFoundException")

	_, err = c.tryPut(none, "k", "x")
	c.refused(err, "ResourceNotFoundException")

	_, err = c.kinesis.ListShards(c.ctx, &kinesis.ListShardsInput{StreamName: &none})
	c.refused(err, "ResourceNotFoundException")

	_, err = c.tryIterator(c.stream(1), "shardId-000000000009", iteratorType("LATEST"))
	c.refused(err, "ResourceNotFoundException")
}

func listStreams(c *caseRun) {
	prefix := unique("conformance")
	want := []string{prefix + "-a", prefix + "-b", prefix + "-c"}
	for _, n := range want {
		c.streamNamed(n, 1)
	}

	out, err := c.kinesis.ListStreams(c.ctx, &kinesis.ListStreamsInput{ExclusiveStartStreamName: &want[0], Limit: ptr(int32(1))})
	require.NoError(c, err)
	require.Equal(c, want[1:2], out.StreamNames)
	require.True(c, *out.HasMoreStreams)
	require.NotNil(c, out.NextToken, "a token to go on")

	out, err = c.kinesis.ListStreams(c.ctx, &kinesis.ListStreamsInput{NextToken: out.NextToken, Limit: ptr(int32(1))})
	require.NoError(c, err)
	require.Equal(c, want[2:], out.StreamNames)
}

func listShards(c *caseRun) {
	name := c.stream(3)
	all := shardIDs(c.shards(name))

	out, err := c.kinesis.ListShards(c.ctx, &kinesis.ListShardsInput{StreamName: &name, MaxResults: ptr(int32(2))})
	require.NoError(c, err)
	require.Equal(c, all[:2], shardIDs(out.Shards))
	require.NotNil(c, out.NextToken)

	_, err = c.kinesis.ListShards(c.ctx, &kinesis.ListShardsInput{StreamName: &name, NextToken: out.NextToken})
	c.refused(err, "InvalidArgumentException")

	out, err = c.kinesis.ListShards(c.ctx, &kinesis.ListShardsInput{NextToken: out.NextToken})
	require.NoError(c, err)
	require.Equal(c, all[2:], shardIDs(out.Shards))
	require.Nil(c, out.NextToken)

	out, err = c.kinesis.ListShards(c.ctx, &kinesis.ListShardsInput{StreamName: &name, ExclusiveStartShardId: &all[0]})
	require.NoError(c, err)
	require.Equal(c, all[1:], shardIDs(out.Shards))
}

func describePages(c *caseRun) {
	name := c.stream(3)
	all := shardIDs(c.shards(name))

	out, err := c.kinesis.DescribeStream(c.ctx, &kinesis.DescribeStreamInput{StreamName: &name, Limit: ptr(int32(2))})
	require.NoError(c, err)
	require.Equal(c, all[:2], shardIDs(out.StreamDescription.Shards))
	require.True(c, *out.StreamDescription.HasMoreShards)

	out, err = c.kinesis.DescribeStream(c.ctx, &kinesis.DescribeStreamInput{StreamName: &name, ExclusiveStartShardId: &all[1]})
	require.NoError(c, err)
	require.Equal(c, all[2:], shardIDs(out.StreamDescription.Shards))
	require.False(c, *out.StreamDescription.HasMoreShards)
}

func (c *caseRun) increase(name string, hours int32) error {
	_, err := c.kinesis.IncreaseStreamRetentionPeriod(c.ctx, &kinesis.IncreaseStreamRetentionPeriodInput{StreamName: &name, RetentionPeriodHours: &hours})
	return err
}

func (c *caseRun) decrease(name string, hours int32) error {
	_, err := c.kinesis.DecreaseStreamRetentionPeriod(c.ctx, &kinesis.DecreaseStreamRetentionPeriodInput{StreamName: &name, RetentionPeriodHours: &hours})
	return err
}

func (c *caseRun) awaitRetention(name string, hours int32) {
	c.eventually("retention has changed", func() bool { return *c.active(name).RetentionPeriodHours == hours })
}

func retentionUp(c *caseRun) {
	name := c.stream(1)
	require.NoError(c, c.increase(name, 48))
	c.awaitRetention(name, 48)

	c.refused(c.increase(name, 47), "InvalidArgumentException")
	c.awaitRetention(name, 48)
}

func retentionDown(c *caseRun) {
	name := c.stream(1)
	require.NoError(c, c.increase(name, 72))
	c.awaitRetention(name, 72)

	require.NoError(c, c.decrease(name, 24))
	c.awaitRetention(name, 24)

	c.refused(c.decrease(name, 25), "InvalidArgumentException")
}

func (c *caseRun) deleteStream(name string) {
	_, err := c.kinesis.DeleteStream(c.ctx, &kinesis.DeleteStreamInput{StreamName: &name})
	require.NoError(c, err)
	c.eventually("the stream is gone", func() bool {
		_, err := c.summary(name)
		return codeOf(err) == "ResourceNotFoundException"
	})
}

func deleteStream(c *caseRun) {
	name := c.stream(1)
	c.deleteStream(name)
	_, err := c.tryPut(name, "k", "x")
	c.refused(err, "ResourceNotFoundException")

	_, err = c.kinesis.DeleteStream(c.ctx, &kinesis.DeleteStreamInput{StreamName: &name})
	c.refused(err, "ResourceNotFoundException")
}

func recreated(c *caseRun) {
	name := c.stream(1)
	first := c.active(name)
	old := c.put(name, "k", "old")
	iterator := c.iterator(name, *old.ShardId, iteratorType("TRIM_HORIZON"))

	c.deleteStream(name)
	c.pause(1100 * time.Millisecond) // creation times may be whole seconds
	c.streamNamed(name, 1)
	second := c.active(name)
	require.True(c, first.StreamCreationTimestamp.Before(*second.StreamCreationTimestamp), "%v is before %v", first.StreamCreationTimestamp, second.StreamCreationTimestamp)

	out, err := c.kinesis.GetRecords(c.ctx, &kinesis.GetRecordsInput{ShardIterator: &iterator})
	if err == nil { // whether an old iterator is refused is not documented
		require.NotContains(c, dataOf(out.Records), "old", "what a deleted stream held is gone")
	}

	now := c.put(name, "k", "new")
	got, _ := c.read(name, *now.ShardId, iteratorType("TRIM_HORIZON"), 1)
	require.Equal(c, []string{"new"}, dataOf(got))
}
