package conformance

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func subscribeCases() []testCase {
	page := kinesisAPI + "API_SubscribeToShard.html"
	event, position := kinesisAPI+"API_SubscribeToShardEvent.html", kinesisAPI+"API_StartingPosition.html"
	return []testCase{
		promise("a subscription delivers a shard's records in order", page,
			"Kinesis Data Streams pushes records from the shard to the consumer over the connection.", subscribeInOrder),
		promise("records are pushed when they arrive", kinesisGuide+"enhanced-consumers.html",
			"Enhanced fan-out delivers within about 70 ms on average, instead of polling.", pushed, alone),
		promise("a subscription starts where it is asked to", position,
			"AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, AT_TIMESTAMP, TRIM_HORIZON, LATEST.", startingPositions),
		promise("a quiet subscription goes on saying how far it is", event,
			"ContinuationSequenceNumber captures the shard's progress even when no data is written; MillisBehindLatest zero is caught up.", quietSubscription),
		promise("a subscription goes on where another ended", event,
			"ContinuationSequenceNumber is the SequenceNumber of the next call, AT_ or AFTER_SEQUENCE_NUMBER.", resumes),
		promise("a second subscription within 5 seconds is refused", page,
			"The same consumer and shard within 5 seconds of a successful call: ResourceInUseException.", tooSoon),
		promise("a subscription after 5 seconds takes over", page,
			"5 seconds or more after a successful call the second call takes over, and the previous connection expires or fails.", takesOver),
		promise("consumers don't share a shard's throughput", kinesisGuide+"enhanced-consumers.html",
			"Each consumer gets every record with a read throughput of its own.", fanOut),
		promise("at a closed shard's end come its children, and the end", event,
			"ChildShards is returned only at the end of the current shard.", subscribeToEnd),
		promise("what is no consumer, no shard is refused", page, "ResourceNotFoundException.", subscribeNowhere),
		promise("a subscription ends after 5 minutes", page,
			"Events come for up to 5 minutes, after which SubscribeToShard must be called again.", fiveMinutes, slow),
	}
}

type subscription = *kinesis.SubscribeToShardEventStream

func (c *caseRun) trySubscribe(consumer, shard string, at types.StartingPosition) (subscription, error) {
	in := &kinesis.SubscribeToShardInput{ConsumerARN: &consumer, ShardId: &shard, StartingPosition: &at}

	// A client for each subscription: the SDK's event stream codec belongs to
	// the client and is not safe for two streams at once (smithy-go 1.28.8).
	client := kinesis.New(c.once.Options())
	out, err := client.SubscribeToShard(c.ctx, in)

	// LocalStack looks for the consumer in every stream, and fails if one of
	// them, of another case, is deleted meanwhile.
	for i := 0; i < 10 && c.at.Backend == LocalStack && err != nil && strings.Contains(err.Error(), "ListStreamConsumers"); i++ {
		out, err = client.SubscribeToShard(c.ctx, in)
	}
	if err != nil {
		return nil, err
	}

	s := out.GetStream()
	c.cleanup(func(context.Context) { _ = s.Close() })
	return s, nil
}

func (c *caseRun) subscribe(consumer, shard string, at types.StartingPosition) subscription {
	s, err := c.trySubscribe(consumer, shard, at)
	require.NoError(c, err)
	return s
}

func starting(t types.ShardIteratorType) types.StartingPosition {
	return types.StartingPosition{Type: t}
}

// nextEvent returns the subscription's next event, and false when it has ended.
// One must come within maxWait.
func (c *caseRun) nextEvent(s subscription) (types.SubscribeToShardEvent, bool) {
	timer := time.NewTimer(c.maxWait())
	defer timer.Stop()

	select {
	case e, ok := <-s.Events():
		if !ok {
			return types.SubscribeToShardEvent{}, false
		}
		got, isRecords := e.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent)
		require.True(c, isRecords, "an event of type %T", e)
		return got.Value, true
	case <-timer.C:
		require.Fail(c, "no event", "within %v", c.maxWait())
	}

	return types.SubscribeToShardEvent{}, false
}

// receiveRecords reads events until there are n records.
func (c *caseRun) receiveRecords(s subscription, n int) (got []types.Record, last types.SubscribeToShardEvent) {
	for end := time.Now().Add(c.maxWait()); len(got) < n; {
		require.True(c, time.Now().Before(end), "%d of %d records came: %v", len(got), n, dataOf(got))
		e, ok := c.nextEvent(s)
		require.True(c, ok, "the subscription ended with %d of %d records: %v", len(got), n, s.Err())
		got, last = append(got, e.Records...), e
	}

	require.Len(c, got, n)
	return got, last
}

// reader is a stream of one shard with a consumer.
func (c *caseRun) reader() (name, shard, consumer string) {
	name = c.stream(1)
	return name, *c.shards(name)[0].ShardId, c.consumer(name, "reader")
}

func subscribeInOrder(c *caseRun) {
	name, shard, consumer := c.reader()
	for i := range 3 {
		c.put(name, "k", fmt.Sprint(i))
	}

	s := c.subscribe(consumer, shard, starting("TRIM_HORIZON"))
	for i := range 3 {
		c.put(name, "key", fmt.Sprint(3+i))
	}

	got, last := c.receiveRecords(s, 6)
	require.Equal(c, []string{"0", "1", "2", "3", "4", "5"}, dataOf(got))
	require.Equal(c, "key", *got[5].PartitionKey)
	require.NotNil(c, got[0].ApproximateArrivalTimestamp)

	for i := 1; i < 6; i++ {
		c.increases(*got[i-1].SequenceNumber, *got[i].SequenceNumber)
	}
	require.NotEmpty(c, *last.ContinuationSequenceNumber)
	require.NotNil(c, last.MillisBehindLatest)
}

func pushed(c *caseRun) {
	name, shard, consumer := c.reader()
	s := c.subscribe(consumer, shard, starting("LATEST"))
	// The subscription is at LATEST only once it runs: a record before that
	// would be missed.
	c.pause(500 * time.Millisecond)

	n := 20
	if c.at.Backend != Emulator {
		n = 5
	}
	var delays []time.Duration
	for range n {
		c.pause(100 * time.Millisecond) // a poll that has just ended is no push
		c.put(name, "k", fmt.Sprint(time.Now().UnixNano()))
		got, _ := c.receiveRecords(s, 1)
		sent, err := strconv.ParseInt(string(got[0].Data), 10, 64)
		require.NoError(c, err)

		delays = append(delays, time.Since(time.Unix(0, sent)))
	}

	slices.Sort(delays)
	c.t.Logf("fan-out, from before the put to the record: p50 %v, p95 %v", delays[n/2], delays[n*95/100])
	bound := 100 * time.Millisecond
	if c.at.Backend == AWS {
		bound = time.Second // with the way there and back
	}

	require.Less(c, delays[n/2], bound, "median of %d", n)
}

func startingPositions(c *caseRun) {
	name := c.stream(1)
	shard := *c.shards(name)[0].ShardId
	first := c.put(name, "k", "0")
	// Backends may keep arrival times in whole seconds: the two must differ.
	c.pause(1200 * time.Millisecond)
	second := c.put(name, "k", "1")
	all, _ := c.read(name, shard, iteratorType("TRIM_HORIZON"), 2)

	for i, one := range []struct {
		at   types.StartingPosition
		want []string
	}{
		{starting("TRIM_HORIZON"), []string{"0", "1"}},
		{types.StartingPosition{Type: "AT_SEQUENCE_NUMBER", SequenceNumber: second.SequenceNumber}, []string{"1"}},
		{types.StartingPosition{Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber: first.SequenceNumber}, []string{"1"}},
		{types.StartingPosition{Type: "AT_TIMESTAMP", Timestamp: ptr(all[1].ApproximateArrivalTimestamp.Truncate(time.Second))}, []string{"1"}},
	} {
		s := c.subscribe(c.consumer(name, fmt.Sprint("reader-", i)), shard, one.at)
		got, _ := c.receiveRecords(s, len(one.want))
		require.Equal(c, one.want, dataOf(got), "%s", one.at.Type)
		require.NoError(c, s.Close())
	}

	s := c.subscribe(c.consumer(name, "latest"), shard, starting("LATEST"))
	c.pause(500 * time.Millisecond)
	c.put(name, "k", "2")
	got, _ := c.receiveRecords(s, 1)
	require.Equal(c, []string{"2"}, dataOf(got), "LATEST")
}

func quietSubscription(c *caseRun) {
	_, shard, consumer := c.reader()
	s := c.subscribe(consumer, shard, starting("TRIM_HORIZON"))
	for range 2 {
		e, ok := c.nextEvent(s)
		require.True(c, ok, s.Err())
		require.Empty(c, e.Records)
		require.EqualValues(c, 0, *e.MillisBehindLatest)
		c.number(*e.ContinuationSequenceNumber)
	}
}

func resumes(c *caseRun) {
	name, shard, consumer := c.reader()
	s := c.subscribe(consumer, shard, starting("TRIM_HORIZON"))

	began := time.Now()
	c.put(name, "k", "0")
	c.put(name, "k", "1")
	_, last := c.receiveRecords(s, 2)
	require.NoError(c, s.Close())

	c.put(name, "k", "2")
	// A second subscription of the same consumer would come too soon within 5
	// seconds of the first.
	c.pause(time.Until(began.Add(5500 * time.Millisecond)))
	s = c.subscribe(consumer, shard, types.StartingPosition{Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber: last.ContinuationSequenceNumber})

	c.put(name, "k", "3")
	got, _ := c.receiveRecords(s, 2)
	require.Equal(c, []string{"2", "3"}, dataOf(got), "nothing is lost, nothing comes twice")
}

func tooSoon(c *caseRun) {
	_, shard, consumer := c.reader()
	c.subscribe(consumer, shard, starting("LATEST"))
	_, err := c.trySubscribe(consumer, shard, starting("LATEST"))
	c.refused(err, "ResourceInUseException")
}

func takesOver(c *caseRun) {
	name, shard, consumer := c.reader()
	first := c.subscribe(consumer, shard, starting("LATEST"))
	// Within 5 seconds of the first call the second would be refused.
	c.pause(5500 * time.Millisecond)
	second := c.subscribe(consumer, shard, starting("LATEST"))
	// LATEST counts from when the second subscription runs.
	c.pause(500 * time.Millisecond)
	c.put(name, "k", "x")

	got, _ := c.receiveRecords(second, 1)
	require.Equal(c, []string{"x"}, dataOf(got))

	for end := time.Now().Add(c.maxWait()); ; {
		require.True(c, time.Now().Before(end), "the first must end")

		e, ok := c.nextEvent(first)
		if !ok {
			break
		}
		require.Empty(c, e.Records, "the first gets no more")
	}
}

func fanOut(c *caseRun) {
	name := c.stream(1)
	shard := *c.shards(name)[0].ShardId
	for range 3 {
		c.put(name, "k", string(make([]byte, 700_000)))
	}

	var all []subscription
	for i := range 3 {
		all = append(all, c.subscribe(c.consumer(name, fmt.Sprint("reader-", i)), shard, starting("TRIM_HORIZON")))
	}

	for _, s := range all {
		got, _ := c.receiveRecords(s, 3)
		require.Len(c, got[2].Data, 700_000)
	}
}

func subscribeToEnd(c *caseRun) {
	name, shard, consumer := c.reader()
	c.put(name, "k", "last")
	s := c.subscribe(consumer, shard, starting("TRIM_HORIZON"))
	got, _ := c.receiveRecords(s, 1)
	require.Equal(c, []string{"last"}, dataOf(got))

	_, low, high := c.splitInHalf(name, c.shards(name)[0])
	var children []string
	for end := time.Now().Add(c.maxWait()); ; {
		require.True(c, time.Now().Before(end), "the subscription must end, children so far: %v", children)

		e, ok := c.nextEvent(s)
		if !ok {
			break
		}

		for _, child := range e.ChildShards {
			children = append(children, *child.ShardId)
		}
	}

	require.NoError(c, s.Err(), "it ends in order")
	require.ElementsMatch(c, []string{*low.ShardId, *high.ShardId}, children)
}

func subscribeNowhere(c *caseRun) {
	_, shard, consumer := c.reader()
	_, err := c.trySubscribe(consumer, "shardId-000000000009", starting("LATEST"))
	c.refused(err, "ResourceNotFoundException")
	_, err = c.trySubscribe(strings.Replace(consumer, "/reader:", "/none:", 1), shard, starting("LATEST"))
	c.refused(err, "ResourceNotFoundException")
}

func fiveMinutes(c *caseRun) {
	_, shard, consumer := c.reader()
	began := time.Now()
	s := c.subscribe(consumer, shard, starting("LATEST"))

	for ok := true; ok; {
		_, ok = c.nextEvent(s)
		require.Less(c, time.Since(began), 320*time.Second)
	}

	require.NoError(c, s.Err())
	require.Greater(c, time.Since(began), 280*time.Second)
}
