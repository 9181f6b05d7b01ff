package kinesis

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// consumer registers a consumer that is ready.
func (c client) consumer(s *Service, name string) string {
	c.t.Helper()
	require.NoError(c.t, s.Register(c.stream, name))
	out, err := c.DescribeStreamConsumer(c.t.Context(), &sdk.DescribeStreamConsumerInput{StreamARN: aws.String(streamARN(c.stream)), ConsumerName: &name})
	require.NoError(c.t, err)
	require.Equal(c.t, types.ConsumerStatusActive, out.ConsumerDescription.ConsumerStatus)
	return *out.ConsumerDescription.ConsumerARN
}

func (c client) subscribe(arn, shard string, from types.StartingPosition) *sdk.SubscribeToShardEventStream {
	c.t.Helper()
	out, err := c.SubscribeToShard(c.t.Context(), &sdk.SubscribeToShardInput{ConsumerARN: &arn, ShardId: &shard, StartingPosition: &from})
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = out.GetStream().Close() })
	return out.GetStream()
}

// event takes the next event; nil when the answer has ended.
func event(t testing.TB, stream *sdk.SubscribeToShardEventStream) *types.SubscribeToShardEvent {
	t.Helper()
	select {
	case e, ok := <-stream.Events():
		if !ok {
			return nil
		}
		return &e.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent).Value
	case <-time.After(10 * time.Second):
		require.Fail(t, "no event")
		return nil
	}
}

func TestAPutIsPushedAtOnce(t *testing.T) {
	s, c := fresh(t, Options{Limits: true}, 1)
	stream := c.subscribe(c.consumer(s, "map"), *shardOf(0), types.StartingPosition{Type: types.ShardIteratorTypeLatest})
	require.Empty(t, event(t, stream).Records, "the first event says where it stands")
	var delays []time.Duration
	for i := range 100 {
		start := time.Now()
		c.put("k", fmt.Sprint(i))
		got := event(t, stream)
		delays = append(delays, time.Since(start))
		require.Equal(t, []string{fmt.Sprint(i)}, data(got.Records))
		require.Zero(t, *got.MillisBehindLatest)
	}
	slices.Sort(delays)
	t.Logf("put to event: p50 %s, p99 %s", delays[50], delays[98])
	require.Less(t, delays[50], 20*time.Millisecond)
}
