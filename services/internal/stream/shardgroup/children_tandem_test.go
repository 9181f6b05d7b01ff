package shardgroup_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/test/testenv"
)

// A shard of a real stream is split under two workers that would look by themselves
// only minutes later. The children's first records are applied as soon as the
// parent's end was polled, each by another worker.
func TestChildrenOfASplitAreReadAtOnce(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client, stream := kinesis.NewFromConfig(cfg), "split"
	_, err = client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &stream, ShardCount: aws.Int32(1)})
	require.NoError(t, err)
	active(t, client, stream)

	for _, worker := range []string{"a", "b"} {
		g, _ := start(t, nil, &applier{pool: pool, worker: worker}, func(o *shardgroup.Options) {
			o.Client, o.Stream, o.Lease, o.PollEvery = client, stream, 10*time.Minute, 250*time.Millisecond
		})
		require.Eventually(t, func() bool { return g.Ready(t.Context()) == nil }, 20*time.Second, 10*time.Millisecond)
	}
	putOne(t, client, stream, "0", "parent")
	appliedOf(t, pool, 1)

	const low, high = "0", "170141183460469231731687303715884105728"
	split := time.Now()
	_, err = client.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: &stream, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String(high)})
	require.NoError(t, err)
	active(t, client, stream)
	open := time.Now()
	putOne(t, client, stream, low, "low")
	putOne(t, client, stream, high, "high")

	appliedOf(t, pool, 3)
	t.Logf("both children are read %v after the split was asked for, %v after it was done", time.Since(split), time.Since(open))
	require.Equal(t, 2, count(t, pool, `SELECT count(DISTINCT worker) FROM applied WHERE data <> 'parent'`), "each worker has a child")
}

func active(t *testing.T, client *kinesis.Client, stream string) {
	t.Helper()
	require.Eventually(t, func() bool {
		out, err := client.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
		return err == nil && out.StreamDescriptionSummary.StreamStatus == types.StreamStatusActive
	}, 20*time.Second, 10*time.Millisecond)
}

func putOne(t *testing.T, client *kinesis.Client, stream, hashKey, data string) {
	t.Helper()
	_, err := client.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: aws.String("k"), ExplicitHashKey: &hashKey, Data: []byte(data)})
	require.NoError(t, err)
}

// appliedOf waits until n records are applied. It ends before the shards are listed
// without a reason to (after 30 s).
func appliedOf(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(applied(t, pool)) == n }, 20*time.Second, 5*time.Millisecond)
}
