package conformance

import (
	"math/big"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func reshardCases() []testCase {
	guide, list := kinesisGuide+"kinesis-using-sdk-java-after-resharding.html", kinesisAPI+"API_ShardFilter.html"
	return []testCase{
		promise("a split makes two children of a shard", kinesisAPI+"API_SplitShard.html",
			"The new hash key and all higher ones go to one child, all lower ones to the other; the parent is closed.", split),
		promise("a merge makes one child of two", kinesisAPI+"API_MergeShards.html",
			"The single child receives data for all hash keys of its two parents.", merge),
		promise("only adjacent shards merge", kinesisAPI+"API_MergeShards.html",
			"Two adjacent shards; InvalidArgumentException otherwise.", mergeApart),
		promise("a closed shard ends with its children", kinesisAPI+"API_GetRecords.html",
			"At the end of a closed shard NextShardIterator is null and ChildShards names the children.", closedEnds),
		promise("sequence numbers rise through a reshard", guide,
			"Records of a parent come before those of its children: the children's sequence numbers are greater.", risesThrough),
		promise("writes go on after a reshard", guide,
			"Data records that were routed to the parent are routed to the children.", writesGoOn),
		promise("UpdateShardCount doubles a stream evenly", kinesisAPI+"API_UpdateShardCount.html",
			"Uniform scaling creates shards of equal size.", scaleUp),
		promise("UpdateShardCount halves a stream evenly", kinesisAPI+"API_UpdateShardCount.html",
			"Uniform scaling creates shards of equal size.", scaleDown),
		promise("AT_LATEST lists the open shards", list, "AT_LATEST: only the currently open shards.", filterLatest),
		promise("FROM_TRIM_HORIZON lists all shards", list, "FROM_TRIM_HORIZON (default): all shards within the retention period.", filterAll),
		promise("AT_TRIM_HORIZON lists the shards of the beginning", list, "AT_TRIM_HORIZON: all shards that were open at TRIM_HORIZON.", filterTrim),
		promise("AFTER_SHARD_ID lists the shards after one", list, "AFTER_SHARD_ID: starting with the shard whose id immediately follows.", filterAfter),
		promise("AT_TIMESTAMP lists the shards that were open then", list,
			"AT_TIMESTAMP: shards whose start is not after the time and whose end is not before it, or open.", filterAt),
		promise("FROM_TIMESTAMP lists the shards from then on", list,
			"FROM_TIMESTAMP: closed shards whose end is not before the time, and all open shards.", filterFrom),
	}
}

// splitInHalf splits a shard and returns it as it is then, with its children in
// the order of their hash keys.
func (c *caseRun) splitInHalf(name string, parent types.Shard) (closed, low, high types.Shard) {
	from, to := c.number(*parent.HashKeyRange.StartingHashKey), c.number(*parent.HashKeyRange.EndingHashKey)
	half := new(big.Int).Add(from, to)
	half.Rsh(half, 1)

	_, err := c.kinesis.SplitShard(c.ctx, &kinesis.SplitShardInput{StreamName: &name, ShardToSplit: parent.ShardId, NewStartingHashKey: ptr(half.String())})
	require.NoError(c, err)

	c.active(name)

	var children []types.Shard
	c.eventually("the parent has two children", func() bool {
		children = nil
		for _, sh := range c.shards(name) {
			switch {
			case *sh.ShardId == *parent.ShardId:
				closed = sh
			case sh.ParentShardId != nil && *sh.ParentShardId == *parent.ShardId:
				children = append(children, sh)
			}
		}

		return len(children) == 2
	})

	low, high = children[0], children[1]
	if *low.HashKeyRange.StartingHashKey != *parent.HashKeyRange.StartingHashKey {
		low, high = high, low
	}
	require.Equal(c, half.String(), *high.HashKeyRange.StartingHashKey)

	return closed, low, high
}

func split(c *caseRun) {
	name := c.stream(1)
	parent := c.shards(name)[0]
	closed, low, high := c.splitInHalf(name, parent)

	require.NotNil(c, closed.SequenceNumberRange.EndingSequenceNumber, "the parent is closed")
	require.Equal(c, *parent.HashKeyRange.EndingHashKey, *high.HashKeyRange.EndingHashKey)

	next := new(big.Int).Add(c.number(*low.HashKeyRange.EndingHashKey), big.NewInt(1))
	require.Equal(c, next.String(), *high.HashKeyRange.StartingHashKey)
	require.Nil(c, low.SequenceNumberRange.EndingSequenceNumber)
	require.EqualValues(c, 2, *c.active(name).OpenShardCount)
}

func (c *caseRun) mergeTwo(name string, a, b types.Shard) error {
	_, err := c.kinesis.MergeShards(c.ctx, &kinesis.MergeShardsInput{StreamName: &name, ShardToMerge: a.ShardId, AdjacentShardToMerge: b.ShardId})
	return err
}

func merge(c *caseRun) {
	name := c.stream(2)
	parents := c.shards(name)

	c.put(name, "k", "before")
	require.NoError(c, c.mergeTwo(name, parents[0], parents[1]))
	c.active(name)

	var child types.Shard
	c.eventually("the merge has a child", func() bool {
		list := c.shards(name)
		child = list[len(list)-1]
		return len(list) == 3
	})

	require.Equal(c, *parents[0].ShardId, *child.ParentShardId)
	require.Equal(c, *parents[1].ShardId, *child.AdjacentParentShardId)
	require.Equal(c, "0", *child.HashKeyRange.StartingHashKey)
	require.Equal(c, *parents[1].HashKeyRange.EndingHashKey, *child.HashKeyRange.EndingHashKey)
	require.Equal(c, *child.ShardId, *c.put(name, "k", "after").ShardId)

	_, last := c.readToEnd(name, *parents[0].ShardId)
	require.Len(c, last.ChildShards, 1)
	require.ElementsMatch(c, []string{*parents[0].ShardId, *parents[1].ShardId}, last.ChildShards[0].ParentShards)
}

func mergeApart(c *caseRun) {
	name := c.stream(3)
	s := c.shards(name)
	c.refused(c.mergeTwo(name, s[0], s[2]), "InvalidArgumentException")
	c.refused(c.mergeTwo(name, s[0], types.Shard{ShardId: ptr("shardId-000000000099")}), "ResourceNotFoundException", "InvalidArgumentException")
}

func closedEnds(c *caseRun) {
	name := c.stream(1)
	parent := c.shards(name)[0]
	c.put(name, "k", "before")

	_, low, high := c.splitInHalf(name, parent)

	got, last := c.readToEnd(name, *parent.ShardId)
	require.Equal(c, []string{"before"}, dataOf(got))
	require.Nil(c, last.NextShardIterator)

	var children []string
	for _, child := range last.ChildShards {
		require.Equal(c, []string{*parent.ShardId}, child.ParentShards)
		require.NotEmpty(c, *child.HashKeyRange.EndingHashKey)
		children = append(children, *child.ShardId)
	}

	require.ElementsMatch(c, []string{*low.ShardId, *high.ShardId}, children)
}

func risesThrough(c *caseRun) {
	name := c.stream(1)
	parent := c.shards(name)[0]
	before := c.put(name, "k", "before")

	closed, low, high := c.splitInHalf(name, parent)
	last := *closed.SequenceNumberRange.EndingSequenceNumber
	require.LessOrEqual(c, c.number(*before.SequenceNumber).Cmp(c.number(last)), 0, "the parent ends after its last record")

	for _, child := range []types.Shard{low, high} {
		c.increases(last, *child.SequenceNumberRange.StartingSequenceNumber)
	}

	after := c.put(name, "k", "after")
	c.increases(*before.SequenceNumber, *after.SequenceNumber)
}

func writesGoOn(c *caseRun) {
	name := c.stream(1)
	parent := c.shards(name)[0]
	_, low, high := c.splitInHalf(name, parent)

	for _, child := range []types.Shard{low, high} {
		out, err := c.putExplicit(name, *child.HashKeyRange.StartingHashKey)
		require.NoError(c, err)
		require.Equal(c, *child.ShardId, *out.ShardId)

		got, _ := c.read(name, *child.ShardId, iteratorType("TRIM_HORIZON"), 1)
		require.Len(c, got, 1)
	}
}

func (c *caseRun) scale(name string, target int32) (*kinesis.UpdateShardCountOutput, error) {
	return c.kinesis.UpdateShardCount(c.ctx, &kinesis.UpdateShardCountInput{StreamName: &name, TargetShardCount: &target, ScalingType: "UNIFORM_SCALING"})
}

// scaleTo scales and requires n even open shards, whose parents are closed.
func (c *caseRun) scaleTo(name string, before, target int32) {
	out, err := c.scale(name, target)
	require.NoError(c, err)
	require.Equal(c, before, *out.CurrentShardCount)
	require.Equal(c, target, *out.TargetShardCount)
	c.eventually("the stream is scaled", func() bool { return *c.active(name).OpenShardCount == target })

	size := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(int64(target)))
	for _, sh := range c.shards(name, types.ShardFilter{Type: "AT_LATEST"}) {
		// 2^128 is not always divisible by the number of shards: a width may be
		// off by a few.
		width := new(big.Int).Sub(c.number(*sh.HashKeyRange.EndingHashKey), c.number(*sh.HashKeyRange.StartingHashKey))
		width.Sub(width, size).Abs(width)
		require.Negative(c, width.Cmp(big.NewInt(1000)), "the shards are even")
		require.NotNil(c, sh.ParentShardId)
	}
}

func scaleUp(c *caseRun) {
	name := c.stream(2)
	c.put(name, "k", "before")
	c.scaleTo(name, 2, 4)
	c.put(name, "k", "after")
}

func scaleDown(c *caseRun) {
	name := c.stream(4)
	c.scaleTo(name, 4, 2)
	c.put(name, "k", "after")
}

// splitLater returns a stream of one shard that was split a second and more
// after its beginning, and times in both lives.
func (c *caseRun) splitLater() (name, parent string, children []string, then, now time.Time) {
	name = c.stream(1)
	// More than a second on each side: a backend may compare whole seconds.
	c.pause(1200 * time.Millisecond)
	then = time.Now()
	c.pause(1200 * time.Millisecond)
	closed, low, high := c.splitInHalf(name, c.shards(name)[0])
	c.pause(1200 * time.Millisecond)

	return name, *closed.ShardId, []string{*low.ShardId, *high.ShardId}, then, time.Now()
}

func filterLatest(c *caseRun) {
	name, _, children, _, _ := c.splitLater()
	require.ElementsMatch(c, children, shardIDs(c.shards(name, types.ShardFilter{Type: "AT_LATEST"})))
}

func filterAll(c *caseRun) {
	name, parent, children, _, _ := c.splitLater()
	require.ElementsMatch(c, append(children, parent), shardIDs(c.shards(name, types.ShardFilter{Type: "FROM_TRIM_HORIZON"})))
}

func filterTrim(c *caseRun) {
	name, parent, _, _, _ := c.splitLater()
	require.Equal(c, []string{parent}, shardIDs(c.shards(name, types.ShardFilter{Type: "AT_TRIM_HORIZON"})))
}

func filterAfter(c *caseRun) {
	name, parent, children, _, _ := c.splitLater()
	require.ElementsMatch(c, children, shardIDs(c.shards(name, types.ShardFilter{Type: "AFTER_SHARD_ID", ShardId: &parent})))
}

func filterAt(c *caseRun) {
	name, parent, children, then, now := c.splitLater()
	require.Equal(c, []string{parent}, shardIDs(c.shards(name, types.ShardFilter{Type: "AT_TIMESTAMP", Timestamp: &then})))
	require.ElementsMatch(c, children, shardIDs(c.shards(name, types.ShardFilter{Type: "AT_TIMESTAMP", Timestamp: &now})))
}

func filterFrom(c *caseRun) {
	name, parent, children, then, now := c.splitLater()
	require.ElementsMatch(c, children, shardIDs(c.shards(name, types.ShardFilter{Type: "FROM_TIMESTAMP", Timestamp: &now})))
	require.ElementsMatch(c, append(children, parent), shardIDs(c.shards(name, types.ShardFilter{Type: "FROM_TIMESTAMP", Timestamp: &then})))
}
