package conformance

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func getCases() []testCase {
	get, iterator := kinesisAPI+"API_GetRecords.html", kinesisAPI+"API_GetShardIterator.html"
	return []testCase{
		promise("an iterator starts where it is asked to", iterator,
			"AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST, AT_TIMESTAMP.", fiveIterators),
		promise("a time between records starts at the next", iterator,
			"If a record with this exact timestamp does not exist, the iterator is for the next (later) record.", atTimestamp),
		promise("Limit bounds the records, the next iterator goes on", get,
			"Limit: the maximum number of records to return; NextShardIterator reads on.", getLimit),
		promise("reading forgets nothing", get, "Records stay readable for the retention period; an iterator may be read again.", readAgain),
		promise("a call without records returns an iterator", get,
			"If there are no records available, an empty list is returned, with a NextShardIterator.", emptyRead),
		promise("MillisBehindLatest is zero at the tip only", get,
			"How far the response is from the tip of the stream; zero says that processing is caught up.", behind),
		promise("an iterator expires", get, "ExpiredIteratorException: a shard iterator expires 5 minutes after it is returned.", expiredIterator, needsShortIterators),
		promise("a shard answers five reads a second", kinesisGuide+"service-sizes-and-limits.html",
			"GetRecords: five transactions a second for each shard, then ProvisionedThroughputExceededException.", fiveReads, needsLimits),
		promise("a shard returns 2 MB a second", kinesisGuide+"service-sizes-and-limits.html",
			"Each shard supports a maximum total read rate of 2 MB a second; after more, calls within the next second are refused.", readBytes, needsLimits, alone),
		promise("a read returns 10 MiB at most", get,
			"The maximum size of data that GetRecords can return is 10 MiB; calls made within the next 5 seconds are refused.", readTenMebibytes, needsLimits, alone),
	}
}

func fiveIterators(c *caseRun) {
	name := c.stream(1)
	shard := *c.shards(name)[0].ShardId
	began := time.Now().Add(-time.Minute)
	var sequences []string
	for i := range 3 {
		sequences = append(sequences, *c.put(name, "k", fmt.Sprint(i)).SequenceNumber)
	}
	latest := c.iterator(name, shard, iteratorType("LATEST"))

	for _, one := range []struct {
		at   position
		want []string
	}{
		{iteratorType("TRIM_HORIZON"), []string{"0", "1", "2"}},
		{atSequence("AT_SEQUENCE_NUMBER", sequences[1]), []string{"1", "2"}},
		{atSequence("AFTER_SEQUENCE_NUMBER", sequences[1]), []string{"2"}},
		{atTime(began), []string{"0", "1", "2"}},
	} {
		got, _ := c.read(name, shard, one.at, len(one.want))
		require.Equal(c, one.want, dataOf(got))
	}

	c.put(name, "k", "3")
	var got []string
	c.eventually("the record after LATEST", func() bool {
		out := c.get(latest, 0)
		got, latest = append(got, dataOf(out.Records)...), *out.NextShardIterator
		c.pause(200 * time.Millisecond)
		return len(got) > 0
	})

	require.Equal(c, []string{"3"}, got)
}

func atTimestamp(c *caseRun) {
	name := c.stream(1)
	shard := *c.shards(name)[0].ShardId

	// Both in one second: a time is not of whole seconds.
	c.pause(time.Until(time.Now().Truncate(time.Second).Add(1050 * time.Millisecond)))
	c.put(name, "k", "before")
	c.pause(400 * time.Millisecond)
	c.put(name, "k", "after")

	all, _ := c.read(name, shard, iteratorType("TRIM_HORIZON"), 2)
	between := all[0].ApproximateArrivalTimestamp.Add(all[1].ApproximateArrivalTimestamp.Sub(*all[0].ApproximateArrivalTimestamp) / 2)
	got, _ := c.read(name, shard, atTime(between), 1)
	require.Equal(c, []string{"after"}, dataOf(got))

	got, _ = c.read(name, shard, atTime(*all[1].ApproximateArrivalTimestamp), 1)
	require.Equal(c, []string{"after"}, dataOf(got), "at the very time")
}

func getLimit(c *caseRun) {
	name := c.stream(1)
	out, err := c.putRecords(name, records(5, "x"))
	require.NoError(c, err)

	iterator := c.iterator(name, *out.Records[0].ShardId, iteratorType("TRIM_HORIZON"))
	var got []types.Record

	for range 3 {
		out := c.get(iterator, 2)
		require.LessOrEqual(c, len(out.Records), 2)
		got, iterator = append(got, out.Records...), *out.NextShardIterator
		c.pause(250 * time.Millisecond)
	}

	require.Len(c, got, 5)
	for i := 1; i < 5; i++ {
		c.increases(*got[i-1].SequenceNumber, *got[i].SequenceNumber)
	}
}

func readAgain(c *caseRun) {
	name := c.stream(1)
	out := c.put(name, "k", "x")
	iterator := c.iterator(name, *out.ShardId, iteratorType("TRIM_HORIZON"))

	c.eventually("the record is readable", func() bool {
		c.pause(250 * time.Millisecond)
		return len(c.get(iterator, 0).Records) == 1
	})

	require.Equal(c, []string{"x"}, dataOf(c.get(iterator, 0).Records))
}

func emptyRead(c *caseRun) {
	name := c.stream(1)
	out := c.get(c.iterator(name, *c.shards(name)[0].ShardId, iteratorType("TRIM_HORIZON")), 0)

	require.Empty(c, out.Records)
	require.NotNil(c, out.NextShardIterator)
	require.Empty(c, out.ChildShards)
}

func behind(c *caseRun) {
	name := c.stream(1)
	shard := *c.put(name, "k", "1").ShardId
	c.pause(300 * time.Millisecond)
	c.put(name, "k", "2")
	c.pause(300 * time.Millisecond)

	iterator := c.iterator(name, shard, iteratorType("TRIM_HORIZON"))
	var first *kinesis.GetRecordsOutput
	c.eventually("the first record is read", func() bool {
		first = c.get(iterator, 1)
		iterator = *first.NextShardIterator
		c.pause(250 * time.Millisecond)
		return len(first.Records) == 1
	})

	require.Positive(c, *first.MillisBehindLatest, "a record is left to read")

	c.eventually("the tip", func() bool {
		out := c.get(iterator, 0)
		iterator = *out.NextShardIterator
		c.pause(250 * time.Millisecond)
		return *out.MillisBehindLatest == 0
	})
}

func expiredIterator(c *caseRun) {
	life := c.at.IteratorLife
	if life == 0 {
		life = 5 * time.Minute
	}

	name := c.stream(1)
	c.put(name, "k", "x")
	iterator := c.iterator(name, *c.shards(name)[0].ShardId, iteratorType("TRIM_HORIZON"))
	c.get(iterator, 0)

	// A tenth more than its life, for clocks that differ.
	c.pause(life + life/10)
	_, err := c.kinesis.GetRecords(c.ctx, &kinesis.GetRecordsInput{ShardIterator: &iterator})
	c.refused(err, "ExpiredIteratorException")

	require.Len(c, c.get(c.iterator(name, *c.shards(name)[0].ShardId, iteratorType("TRIM_HORIZON")), 0).Records, 1)
}

// refuseOne makes n reads at once, of which the shard must refuse one, and
// answer one.
func (c *caseRun) refuseOne(iterator string, n int) {
	// All at once: one after the other, a slow endpoint would take more than a
	// second for them.
	errs := make(chan error, n)
	for range n {
		go func() {
			_, err := c.once.GetRecords(c.ctx, &kinesis.GetRecordsInput{ShardIterator: &iterator})
			errs <- err
		}()
	}

	refused := 0
	for range n {
		if err := <-errs; err != nil {
			c.refused(err, "ProvisionedThroughputExceededException")
			refused++
		}
	}

	require.Positive(c, refused, "it never refused, %d reads at once", n)
	require.Less(c, refused, n)
}

func fiveReads(c *caseRun) {
	name := c.stream(1)
	c.refuseOne(c.iterator(name, *c.shards(name)[0].ShardId, iteratorType("TRIM_HORIZON")), 20)
}

// readUntilThrottled reads what is many bytes, and meanwhile looks at the
// shard's tip, less than five times a second: that must be refused once the
// bytes were read.
func (c *caseRun) readUntilThrottled(name, shard string) (out *kinesis.GetRecordsOutput) {
	iterator, tip := c.iterator(name, shard, iteratorType("TRIM_HORIZON")), c.iterator(name, shard, iteratorType("LATEST"))
	c.pause(1100 * time.Millisecond) // nothing was read for a second

	answer, failure := make(chan *kinesis.GetRecordsOutput, 1), make(chan error, 1)
	go func() {
		out, err := c.once.GetRecords(c.ctx, &kinesis.GetRecordsInput{ShardIterator: &iterator})
		answer <- out
		failure <- err
	}()

	for range 100 {
		c.pause(300 * time.Millisecond)
		_, err := c.once.GetRecords(c.ctx, &kinesis.GetRecordsInput{ShardIterator: &tip})
		if err != nil {
			c.refused(err, "ProvisionedThroughputExceededException")
			out = <-answer
			require.NoError(c, <-failure)
			return out
		}
		if len(answer) > 0 {
			break // long since: the answer is decoded
		}
	}

	require.Fail(c, "it never refused, whatever was read")
	return nil
}

func readBytes(c *caseRun) {
	name := c.stream(1)
	for range 4 { // the SDK tries again until the shard has taken each
		c.put(name, "k", string(make([]byte, 900_000)))
	}

	require.Len(c, c.readUntilThrottled(name, *c.shards(name)[0].ShardId).Records, 4)
}

func readTenMebibytes(c *caseRun) {
	name := unique("conformance")
	c.streamNamed(name, 1, func(in *kinesis.CreateStreamInput) { in.MaxRecordSizeInKiB = ptr(int32(10 << 10)) })
	for range 2 { // the SDK tries again until the shard has taken the second
		c.put(name, "k", string(make([]byte, 6<<20)))
	}

	out := c.readUntilThrottled(name, *c.shards(name)[0].ShardId)
	require.Len(c, out.Records, 1)
	require.Positive(c, *out.MillisBehindLatest, "there is more")
}
