package conformance

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func putCases() []testCase {
	one, many := kinesisAPI+"API_PutRecord.html", kinesisAPI+"API_PutRecords.html"
	return []testCase{
		promise("a record comes back as it was put, with its arrival", kinesisAPI+"API_Record.html",
			"Data is not inspected, interpreted or changed; ApproximateArrivalTimestamp is when it was stored.", recordComesBack),
		promise("a partition key's MD5 picks the shard", one,
			"An MD5 hash maps partition keys to 128-bit integers and to the shards' hash key ranges.", md5Routes),
		promise("an explicit hash key picks the shard", one,
			"ExplicitHashKey overrides the partition key's hash.", explicitHash),
		promise("sequence numbers rise in a shard", one, "Sequence numbers increase over time and are specific to a shard.", sequenceInShard),
		promise("PutRecords takes 500 records and answers each in its order", many,
			"Up to 500 records; the response's records correlate with the request's in their order.", putMany),
		promise("over 1,000 records a second a call fails in part", many,
			"A failed record has ErrorCode ProvisionedThroughputExceededException or InternalFailure and no sequence number; FailedRecordCount counts them; the others are stored.", recordsLimit, needsLimits, alone),
		promise("over 1 MB a second a call fails in part", many,
			"Each shard can support writes up to a maximum data write total of 1 MiB per second.", bytesLimit, needsLimits, alone),
		promise("PutRecord over the limit is refused", one,
			"ProvisionedThroughputExceededException where the shard's throughput is not enough.", putLimit, needsLimits, alone),
	}
}

func recordComesBack(c *caseRun) {
	name := c.stream(1)
	data := string(bytes.Repeat([]byte{0, 0xff, '\n', 'x'}, 1000))

	before := time.Now()
	out := c.put(name, "ключ", data)
	c.put(name, "k", "")

	got, _ := c.read(name, *out.ShardId, iteratorType("TRIM_HORIZON"), 2)
	require.Equal(c, []string{data, ""}, dataOf(got))
	require.Equal(c, "ключ", *got[0].PartitionKey)
	require.Equal(c, *out.SequenceNumber, *got[0].SequenceNumber)
	require.WithinDuration(c, before, *got[0].ApproximateArrivalTimestamp, 10*time.Second)
}

func md5Routes(c *caseRun) {
	name := c.stream(4)
	shards := c.shards(name)

	for i := range 16 {
		key := fmt.Sprint("key-", i)
		sum := md5.Sum([]byte(key))
		hash, out := new(big.Int).SetBytes(sum[:]), c.put(name, key, "x")

		for _, sh := range shards {
			require.Equal(c, *sh.ShardId == *out.ShardId, c.contains(sh, hash), "the key %s in %s", key, *out.ShardId)
		}
	}
}

func (c *caseRun) putExplicit(name, hash string) (*kinesis.PutRecordOutput, error) {
	return c.kinesis.PutRecord(c.ctx, &kinesis.PutRecordInput{StreamName: &name, PartitionKey: ptr("k"), ExplicitHashKey: &hash, Data: []byte("x")})
}

func explicitHash(c *caseRun) {
	name := c.stream(3)
	for _, sh := range c.shards(name) {
		for _, hash := range []string{*sh.HashKeyRange.StartingHashKey, *sh.HashKeyRange.EndingHashKey} {
			out, err := c.putExplicit(name, hash)
			require.NoError(c, err)
			require.Equal(c, *sh.ShardId, *out.ShardId, "the hash key %s", hash)
		}
	}
}

func sequenceInShard(c *caseRun) {
	name := c.stream(1)
	last := "0"
	for range 10 {
		out := c.put(name, "k", "x")
		c.increases(last, *out.SequenceNumber)
		last = *out.SequenceNumber
	}

	out, err := c.kinesis.PutRecord(c.ctx, &kinesis.PutRecordInput{StreamName: &name, PartitionKey: ptr("k"), Data: []byte("x"), SequenceNumberForOrdering: &last})
	require.NoError(c, err)
	c.increases(last, *out.SequenceNumber)
}

func (c *caseRun) putRecords(name string, r []types.PutRecordsRequestEntry) (*kinesis.PutRecordsOutput, error) {
	return c.kinesis.PutRecords(c.ctx, &kinesis.PutRecordsInput{StreamName: &name, Records: r})
}

func putMany(c *caseRun) {
	name := c.stream(2)
	shards := c.shards(name)
	batch := records(500, "")
	for i := range batch {
		batch[i].ExplicitHashKey, batch[i].Data = shards[i%2].HashKeyRange.StartingHashKey, []byte(fmt.Sprint(i))
	}

	out, err := c.putRecords(name, batch)
	require.NoError(c, err)
	require.Len(c, out.Records, 500)
	require.EqualValues(c, 0, *out.FailedRecordCount)

	want := map[string]string{}
	for i, r := range out.Records {
		require.Nil(c, r.ErrorCode)
		require.Equal(c, *shards[i%2].ShardId, *r.ShardId)
		want[*r.SequenceNumber] = fmt.Sprint(i)
	}

	for _, sh := range shards {
		got, _ := c.read(name, *sh.ShardId, iteratorType("TRIM_HORIZON"), 250)
		require.Len(c, got, 250)
		for _, r := range got {
			require.Equal(c, want[*r.SequenceNumber], string(r.Data))
		}
	}
}

// atOnce makes n calls at once: one after the other may be slower than a limit.
func (c *caseRun) atOnce(n int, put func() (*kinesis.PutRecordsOutput, error)) (all []*kinesis.PutRecordsOutput) {
	answers, errs := make(chan *kinesis.PutRecordsOutput, n), make(chan error, n)
	for range n {
		go func() {
			out, err := put()
			answers <- out
			errs <- err
		}()
	}

	for range n {
		all = append(all, <-answers)
		require.NoError(c, <-errs)
	}

	return all
}

// overload puts batches of which some must fail, and requires that exactly
// those that are said to be stored can be read.
func (c *caseRun) overload(batch []types.PutRecordsRequestEntry) {
	name := c.stream(1)
	stored, failed := 0, 0
	for _, out := range c.atOnce(8, func() (*kinesis.PutRecordsOutput, error) {
		return c.once.PutRecords(c.ctx, &kinesis.PutRecordsInput{StreamName: &name, Records: batch})
	}) {
		before := failed
		for _, r := range out.Records {
			if r.ErrorCode == nil {
				require.NotNil(c, r.SequenceNumber)
				stored++
				continue
			}
			require.Equal(c, "ProvisionedThroughputExceededException", *r.ErrorCode)
			require.NotEmpty(c, *r.ErrorMessage)
			require.Nil(c, r.SequenceNumber)
			failed++
		}

		require.EqualValues(c, failed-before, *out.FailedRecordCount)
	}

	require.Positive(c, failed, "none of %d records was refused", stored)
	require.Positive(c, stored)
	c.eventually("what was stored can be read", func() bool {
		got, _ := c.read(name, *c.shards(name)[0].ShardId, iteratorType("TRIM_HORIZON"), stored)
		require.LessOrEqual(c, len(got), stored, "what failed was not stored")
		return len(got) == stored
	})
}

func recordsLimit(c *caseRun) { c.overload(records(500, "x")) }

func bytesLimit(c *caseRun) { c.overload(records(50, strings.Repeat("x", 10_000))) }

func putLimit(c *caseRun) {
	name := c.stream(1)
	const n = 8
	errs := make(chan error, n)
	for range n {
		go func() {
			_, err := c.once.PutRecord(c.ctx, &kinesis.PutRecordInput{StreamName: &name, PartitionKey: ptr("k"), Data: bytes.Repeat([]byte("x"), 500_000)})
			errs <- err
		}()
	}

	failed := 0
	for range n {
		if err := <-errs; err != nil {
			c.refused(err, "ProvisionedThroughputExceededException")
			failed++
		}
	}

	require.Positive(c, failed, "4 MB at once were taken")
	require.Less(c, failed, n)
}
