package kinesis

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func (c client) summary() *types.StreamDescriptionSummary {
	c.t.Helper()
	out, err := c.DescribeStreamSummary(c.t.Context(), &sdk.DescribeStreamSummaryInput{StreamName: &c.stream})
	require.NoError(c.t, err)
	return out.StreamDescriptionSummary
}

// What is set is described, and still after a restart.
func TestSettingsAreKept(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, s.Create("stream", 3, 24))
	c := client{dial(t, s), t, "stream"}
	created := *c.summary().StreamCreationTimestamp
	require.WithinDuration(t, time.Now(), created, time.Minute)

	require.NoError(t, s.SetEncryption("stream", "alias/aws/kinesis"))
	_, err = c.IncreaseStreamRetentionPeriod(t.Context(), &sdk.IncreaseStreamRetentionPeriodInput{StreamName: &c.stream, RetentionPeriodHours: aws.Int32(48)})
	require.NoError(t, err)
	_, err = c.IncreaseStreamRetentionPeriod(t.Context(), &sdk.IncreaseStreamRetentionPeriodInput{StreamName: &c.stream, RetentionPeriodHours: aws.Int32(47)})
	requireCode(t, err, "InvalidArgumentException")

	_, err = c.DecreaseStreamRetentionPeriod(t.Context(), &sdk.DecreaseStreamRetentionPeriodInput{StreamName: &c.stream, RetentionPeriodHours: aws.Int32(49)})
	requireCode(t, err, "InvalidArgumentException")

	_, err = c.CreateStream(t.Context(), &sdk.CreateStreamInput{StreamName: aws.String("large"), ShardCount: aws.Int32(1), MaxRecordSizeInKiB: aws.Int32(10241)})
	requireCode(t, err, "ValidationException")

	arn := c.consumer(s, "one")
	c.put("k", "x")
	require.NoError(t, s.Close())

	s = open(t, Options{Dir: dir})
	c = client{dial(t, s), t, "stream"}
	d := c.summary()
	require.Equal(t, created, *d.StreamCreationTimestamp)
	require.Equal(t, types.EncryptionTypeKms, d.EncryptionType)
	require.Equal(t, "alias/aws/kinesis", *d.KeyId)
	require.Equal(t, int32(48), *d.RetentionPeriodHours)
	require.Equal(t, int32(3), *d.OpenShardCount)
	require.Equal(t, int32(1), *d.ConsumerCount)
	require.Equal(t, arn, c.consumer(s, "one"), "Register is idempotent")
	require.Equal(t, types.EncryptionTypeKms, c.put("k", "y").EncryptionType)

	require.NoError(t, s.SetEncryption("stream", ""))
	require.Equal(t, types.EncryptionTypeNone, c.put("k", "z").EncryptionType)
}

func TestConsumers(t *testing.T) {
	clock := newManual()
	_, c := fresh(t, Options{Now: clock.now, Limits: true}, 1)
	arn := streamARN(c.stream)
	register := func(name string) (*types.Consumer, error) {
		out, err := c.RegisterStreamConsumer(t.Context(), &sdk.RegisterStreamConsumerInput{StreamARN: &arn, ConsumerName: &name})
		if err != nil {
			return nil, err
		}
		return out.Consumer, nil
	}

	first, err := register("c0")
	require.NoError(t, err)
	require.Equal(t, types.ConsumerStatusCreating, first.ConsumerStatus)
	require.Equal(t, fmt.Sprintf("%s/consumer/c0:%d", arn, clock.now().Unix()), *first.ConsumerARN)

	latest := types.StartingPosition{Type: types.ShardIteratorTypeLatest}
	_, err = c.SubscribeToShard(t.Context(), &sdk.SubscribeToShardInput{ConsumerARN: first.ConsumerARN, ShardId: shardOf(0), StartingPosition: &latest})
	requireCode(t, err, "ResourceInUseException")

	_, err = register("c0")
	requireCode(t, err, "ResourceInUseException")

	for i := 1; i < maxCreating; i++ {
		_, err = register(fmt.Sprint("c", i))
		require.NoError(t, err)
	}

	_, err = register("c5")
	requireCode(t, err, "LimitExceededException")

	for i := maxCreating; i < maxConsumers; i++ {
		clock.pass(creatingTime)
		_, err = register(fmt.Sprint("c", i))
		require.NoError(t, err)
	}

	clock.pass(creatingTime)
	_, err = register("c20")
	requireCode(t, err, "LimitExceededException")

	deregister := func(name string) {
		_, err = c.DeregisterStreamConsumer(t.Context(), &sdk.DeregisterStreamConsumerInput{StreamARN: &arn, ConsumerName: &name})
		require.NoError(t, err)
	}

	deregister("c0")
	_, err = c.DescribeStreamConsumer(t.Context(), &sdk.DescribeStreamConsumerInput{ConsumerARN: first.ConsumerARN})
	requireCode(t, err, "ResourceNotFoundException")

	second, err := register("c0")
	require.NoError(t, err)
	require.NotEqual(t, *first.ConsumerARN, *second.ConsumerARN)

	deregister("c0")
	third, err := register("c0")
	require.NoError(t, err)
	require.NotEqual(t, *second.ConsumerARN, *third.ConsumerARN, "within one second too")

	_, err = c.DescribeStreamConsumer(t.Context(), &sdk.DescribeStreamConsumerInput{ConsumerARN: first.ConsumerARN})
	requireCode(t, err, "ResourceNotFoundException")
}
