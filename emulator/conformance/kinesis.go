package conformance

import (
	"context"
	"math/big"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// stream creates a stream and waits until it is ACTIVE.
func (c *caseRun) stream(shards int32) (name string) {
	name = unique("conformance")
	c.streamNamed(name, shards)
	return name
}

func (c *caseRun) streamNamed(name string, shards int32, change ...func(*kinesis.CreateStreamInput)) {
	in := &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards}
	for _, f := range change {
		f(in)
	}
	_, err := c.kinesis.CreateStream(c.ctx, in)
	require.NoError(c, err)

	c.cleanup(func(ctx context.Context) {
		_, _ = c.kinesis.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: &name, EnforceConsumerDeletion: ptr(true)})
	})
	c.active(name)
}

func (c *caseRun) summary(stream string) (*types.StreamDescriptionSummary, error) {
	out, err := c.kinesis.DescribeStreamSummary(c.ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
	if err != nil {
		return nil, err
	}
	return out.StreamDescriptionSummary, nil
}

// active waits until the stream is ACTIVE.
func (c *caseRun) active(stream string) (s *types.StreamDescriptionSummary) {
	c.eventually(stream+" is ACTIVE", func() bool {
		var err error
		s, err = c.summary(stream)
		return err == nil && s.StreamStatus == types.StreamStatusActive
	})
	return s
}

func (c *caseRun) streamARN(stream string) string {
	s, err := c.summary(stream)
	require.NoError(c, err)
	return *s.StreamARN
}

// shards lists all shards, those of the filter where there is one.
func (c *caseRun) shards(stream string, filter ...types.ShardFilter) []types.Shard {
	in := &kinesis.ListShardsInput{StreamName: &stream}
	if len(filter) > 0 {
		in.ShardFilter = &filter[0]
	}
	out, err := c.kinesis.ListShards(c.ctx, in)
	require.NoError(c, err)
	return out.Shards
}

func shardIDs(shards []types.Shard) (out []string) {
	for _, s := range shards {
		out = append(out, *s.ShardId)
	}
	return out
}

func (c *caseRun) number(decimal string) *big.Int {
	n, ok := new(big.Int).SetString(decimal, 10)
	require.True(c, ok, "%q is a decimal number", decimal)
	return n
}

// contains reports whether a hash key lies in a shard's range.
func (c *caseRun) contains(s types.Shard, hash *big.Int) bool {
	return c.number(*s.HashKeyRange.StartingHashKey).Cmp(hash) <= 0 && hash.Cmp(c.number(*s.HashKeyRange.EndingHashKey)) <= 0
}

// increases requires that b is a later sequence number than a.
func (c *caseRun) increases(a, b string) {
	require.Negative(c, c.number(a).Cmp(c.number(b)), "%s must be below %s", a, b)
}

func (c *caseRun) put(stream, key, data string) *kinesis.PutRecordOutput {
	out, err := c.tryPut(stream, key, data)
	require.NoError(c, err)
	return out
}

func (c *caseRun) tryPut(stream, key, data string) (*kinesis.PutRecordOutput, error) {
	return c.kinesis.PutRecord(c.ctx, &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: &key, Data: []byte(data)})
}

// records are n records of one key.
func records(n int, data string) (out []types.PutRecordsRequestEntry) {
	for range n {
		out = append(out, types.PutRecordsRequestEntry{PartitionKey: ptr("k"), Data: []byte(data)})
	}
	return out
}

// position is a place in a shard.
type position func(*kinesis.GetShardIteratorInput)

func iteratorType(t types.ShardIteratorType) position {
	return func(in *kinesis.GetShardIteratorInput) { in.ShardIteratorType = t }
}

func atSequence(t types.ShardIteratorType, sequence string) position {
	return func(in *kinesis.GetShardIteratorInput) {
		in.ShardIteratorType, in.StartingSequenceNumber = t, &sequence
	}
}

func atTime(t time.Time) position {
	return func(in *kinesis.GetShardIteratorInput) {
		in.ShardIteratorType, in.Timestamp = types.ShardIteratorTypeAtTimestamp, &t
	}
}

func (c *caseRun) iterator(stream, shard string, at position) string {
	out, err := c.tryIterator(stream, shard, at)
	require.NoError(c, err)
	return *out
}

func (c *caseRun) tryIterator(stream, shard string, at position) (*string, error) {
	in := &kinesis.GetShardIteratorInput{StreamName: &stream, ShardId: &shard}
	at(in)
	out, err := c.kinesis.GetShardIterator(c.ctx, in)
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

func (c *caseRun) get(iterator string, limit int32) *kinesis.GetRecordsOutput {
	in := &kinesis.GetRecordsInput{ShardIterator: &iterator}
	if limit > 0 {
		in.Limit = &limit
	}
	out, err := c.kinesis.GetRecords(c.ctx, in)
	require.NoError(c, err)
	return out
}

// read reads from a position until it has n records, or to the shard's end.
func (c *caseRun) read(stream, shard string, at position, n int) (got []types.Record, last *kinesis.GetRecordsOutput) {
	iterator := c.iterator(stream, shard, at)
	for end := time.Now().Add(c.maxWait()); ; {
		last = c.get(iterator, 0)
		got = append(got, last.Records...)
		if last.NextShardIterator == nil || len(got) >= n {
			return got, last
		}
		require.True(c, time.Now().Before(end), "%d of %d records within %v", len(got), n, c.maxWait())

		iterator = *last.NextShardIterator
		c.pause(250 * time.Millisecond) // five calls a second
	}
}

// readToEnd reads a closed shard to its end.
func (c *caseRun) readToEnd(stream, shard string) ([]types.Record, *kinesis.GetRecordsOutput) {
	return c.read(stream, shard, iteratorType(types.ShardIteratorTypeTrimHorizon), 1<<30)
}

func dataOf(records []types.Record) (out []string) {
	for _, r := range records {
		out = append(out, string(r.Data))
	}
	return out
}
