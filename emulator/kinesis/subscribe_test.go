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
	// A client for each: the SDK decodes all of a client's subscriptions with one
	// decoder (smithy-go v1.28.8, internal/eventstream), which is a data race.
	out, err := sdk.New(c.Options()).SubscribeToShard(c.t.Context(), &sdk.SubscribeToShardInput{ConsumerARN: &arn, ShardId: &shard, StartingPosition: &from})
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
	require.Empty(t, event(t, stream).Records, "the first event reports its position")

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

// Whoever subscribes again from the last continuation, wherever it was cut off,
// gets every record once.
func TestResumeWithoutLoss(t *testing.T) {
	s, c := fresh(t, Options{}, 1)
	arns := map[string]bool{}
	var want, got []string
	from := types.StartingPosition{Type: types.ShardIteratorTypeLatest}

	for round := range 8 {
		name := fmt.Sprint("reader", round) // each of its own: nobody waits for 5 s
		arn := c.consumer(s, name)
		require.False(t, arns[arn])

		arns[arn] = true
		stream := c.subscribe(arn, *shardOf(0), from)
		first := event(t, stream)
		got = append(got, data(first.Records)...)
		next := *first.ContinuationSequenceNumber

		for i := range 5 {
			want = append(want, fmt.Sprint(round, ".", i))
			c.put("k", want[len(want)-1])
			if i < round%5 {
				e := event(t, stream)
				got = append(got, data(e.Records)...)
				next = *e.ContinuationSequenceNumber
			}
		}

		require.NoError(t, stream.Close()) // the rest was not taken
		from = types.StartingPosition{Type: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: &next}
	}

	got = append(got, data(event(t, c.subscribe(c.consumer(s, "last"), *shardOf(0), from)).Records)...)
	require.Equal(t, want, got)
}

func TestStartingPositions(t *testing.T) {
	clock := newManual()
	s, c := fresh(t, Options{Now: clock.now}, 1)
	c.put("k", "1")
	clock.pass(time.Second)
	second := c.put("k", "2")
	at := clock.now()
	clock.pass(time.Second)
	c.put("k", "3")

	for i, tc := range []struct {
		from types.StartingPosition
		want []string
	}{
		{types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon}, []string{"1", "2", "3"}},
		{types.StartingPosition{Type: types.ShardIteratorTypeLatest}, nil},
		{types.StartingPosition{Type: types.ShardIteratorTypeAtTimestamp, Timestamp: &at}, []string{"2", "3"}},
		{types.StartingPosition{Type: types.ShardIteratorTypeAtSequenceNumber, SequenceNumber: second.SequenceNumber}, []string{"2", "3"}},
		{types.StartingPosition{Type: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: second.SequenceNumber}, []string{"3"}},
	} {
		stream := c.subscribe(c.consumer(s, fmt.Sprint("c", i)), *shardOf(0), tc.from)
		require.Equal(t, tc.want, data(event(t, stream).Records), tc.from.Type)
	}
}

// A closed shard's last event names its children and has no continuation; the
// answer ends, and whoever waited at the tip learns of it at once.
func TestAShardEndsWithItsChildren(t *testing.T) {
	s, c := fresh(t, Options{}, 1)
	arn := c.consumer(s, "map")
	stream := c.subscribe(arn, *shardOf(0), types.StartingPosition{Type: types.ShardIteratorTypeLatest})
	require.Empty(t, event(t, stream).Records)

	c.put("k", "before")
	require.Equal(t, []string{"before"}, data(event(t, stream).Records))

	start := time.Now()
	_, err := c.SplitShard(t.Context(), &sdk.SplitShardInput{StreamName: &c.stream, ShardToSplit: shardOf(0), NewStartingHashKey: aws.String(boundary(1, 2).String())})
	require.NoError(t, err)
	last := event(t, stream)
	require.Less(t, time.Since(start), heartbeatEvery-time.Second, "at once, not when it next looks")
	require.Empty(t, last.Records)
	require.Nil(t, last.ContinuationSequenceNumber)
	require.Len(t, last.ChildShards, 2)
	require.Equal(t, []string{*shardOf(0)}, last.ChildShards[0].ParentShards)
	require.Equal(t, *shardOf(1), *last.ChildShards[0].ShardId)
	require.Equal(t, "0", *last.ChildShards[0].HashKeyRange.StartingHashKey)
	require.Nil(t, event(t, stream))

	require.NoError(t, stream.Err())

	child := c.subscribe(arn, *shardOf(1), types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon})
	require.Empty(t, event(t, child).Records)
	require.Equal(t, 1, s.Look()[1].Subscribers)
}

// Deregistering the consumer or deleting the stream ends the answer with an
// exception.
func TestASubscriptionEndsWithWhatItReads(t *testing.T) {
	s, c := fresh(t, Options{}, 1)
	latest := types.StartingPosition{Type: types.ShardIteratorTypeLatest}
	one, two := c.consumer(s, "one"), c.consumer(s, "two")
	first, second := c.subscribe(one, *shardOf(0), latest), c.subscribe(two, *shardOf(0), latest)
	event(t, first)
	event(t, second)
	_, err := c.DeregisterStreamConsumer(t.Context(), &sdk.DeregisterStreamConsumerInput{ConsumerARN: &one})
	require.NoError(t, err)
	require.Nil(t, event(t, first))
	requireCode(t, first.Err(), "ResourceNotFoundException")

	_, err = c.SubscribeToShard(t.Context(), &sdk.SubscribeToShardInput{ConsumerARN: &one, ShardId: shardOf(0), StartingPosition: &latest})
	requireCode(t, err, "ResourceNotFoundException")

	_, err = c.DeleteStream(t.Context(), &sdk.DeleteStreamInput{StreamName: &c.stream})
	requireCode(t, err, "ResourceInUseException")

	_, err = c.DeleteStream(t.Context(), &sdk.DeleteStreamInput{StreamName: &c.stream, EnforceConsumerDeletion: aws.Bool(true)})
	require.NoError(t, err)
	require.Nil(t, event(t, second))
	requireCode(t, second.Err(), "ResourceNotFoundException")
}

// A subscriber that reads nothing costs the others nothing.
func TestAStuckSubscriberDelaysNobody(t *testing.T) {
	s, c := fresh(t, Options{}, 1)
	trim := types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon}
	c.subscribe(c.consumer(s, "stuck"), *shardOf(0), trim) // never read
	stream := c.subscribe(c.consumer(s, "quick"), *shardOf(0), trim)
	big := string(make([]byte, 1<<20-1))
	read := 0

	for range 16 { // more than the sockets hold
		c.put("k", big)
		for read < len(big) {
			for _, r := range event(t, stream).Records {
				read += len(r.Data)
			}
		}

		read -= len(big)
	}
}
