package conformance

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func kinesisRefusals() []refusal {
	const (
		create   = kinesisAPI + "API_CreateStream.html"
		increase = kinesisAPI + "API_IncreaseStreamRetentionPeriod.html"
		decrease = kinesisAPI + "API_DecreaseStreamRetentionPeriod.html"
		put      = kinesisAPI + "API_PutRecord.html"
		putMany  = kinesisAPI + "API_PutRecords.html"
		iterator = kinesisAPI + "API_GetShardIterator.html"
		get      = kinesisAPI + "API_GetRecords.html"
		split    = kinesisAPI + "API_SplitShard.html"
		scale    = kinesisAPI + "API_UpdateShardCount.html"
		limits   = kinesisGuide + "service-sizes-and-limits.html"

		highest = "340282366920938463463374607431768211455" // 2^128-1
		beyond  = "340282366920938463463374607431768211456"
	)
	argument := codes{"InvalidArgumentException"}
	either := codes{"InvalidArgumentException", "ValidationException"} // AWS's pages don't tell which

	return []refusal{
		{create, "StreamName: 1 to 128 of a-z, A-Z, 0-9, _, . and -.",
			"CreateStream refuses the name %s", nil, refuses{"a b", "ø", strings.Repeat("n", 129)}, either, createNamed},
		{increase, "24 to 8,760 hours.",
			"IncreaseStreamRetentionPeriod refuses RetentionPeriodHours %s", takes{"8760"}, refuses{"8761"}, either, increaseRetention},
		{decrease, "The minimum value of a stream's retention period is 24 hours.",
			"DecreaseStreamRetentionPeriod refuses RetentionPeriodHours %s", nil, refuses{"23"}, either, decreaseRetention},

		{put, "Partition keys are Unicode strings, with a maximum length of 256 characters for each key.",
			"PutRecord refuses PartitionKey %s", takes{strings.Repeat("ø", 256)}, refuses{"", strings.Repeat("k", 257)}, either, putKey},
		{put, "ExplicitHashKey: 0 or a decimal number without leading zeros, below 2^128.",
			"PutRecord refuses ExplicitHashKey %s", takes{"0", highest}, refuses{beyond, "-1", "00", "x"}, either, putHash},
		{limits, "The maximum size of the data payload of a record is 1 MiB unless the stream allows more.",
			"PutRecord refuses data of %s bytes", takes{"1000000"}, refuses{"1048577"}, either, putData},
		{limits, "The maximum size of a record is 1 MiB unless the stream allows more; data and partition key count.",
			"PutRecord refuses data and key of %s bytes", takes{"1048576"}, refuses{"1048577"}, either, putDataAndKey},
		{putMany, "Records: 1 to 500 items.",
			"PutRecords refuses %s records", takes{"500"}, refuses{"0", "501"}, either, putNumber},
		{putMany, "Up to 10 MiB for the entire request, including partition keys.",
			"PutRecords refuses %s bytes in all", nil, refuses{"11000000"}, either, putInAll},

		{iterator, "A sequence number or a timestamp where the type asks for it, else InvalidArgumentException.",
			"GetShardIterator refuses the type %s alone", takes{"TRIM_HORIZON", "LATEST"}, refuses{"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP", "SOMEWHERE"}, either, iteratorOfType},
		{iterator, "StartingSequenceNumber: 0 or a decimal number without leading zeros.",
			"GetShardIterator refuses StartingSequenceNumber %s", nil, refuses{"one"}, either, iteratorAt},
		{get, "Limit: 1 to 10,000; over it GetRecords throws InvalidArgumentException.",
			"GetRecords refuses Limit %s", takes{"10000"}, refuses{"0", "10001"}, either, getAtMost},
		{get, "InvalidArgumentException, status 400: a specified parameter exceeds its restrictions, is not supported, or can't be used.",
			"GetRecords refuses the iterator %s", nil, refuses{"nonsense", "AAAAAAAAAAGm0EJBm9nYTPzO8oNVGGzTAcGuNzhMqOg2Xz0HZjNLVQ=="}, argument, getWith},

		{split, "NewStartingHashKey must be in the range of hash keys being mapped into the shard.",
			"SplitShard of the lower half refuses NewStartingHashKey %s", takes{"1000"}, refuses{highest, "-1", "x"}, either, splitAt},
		{scale, "You cannot scale up to more than double your current shard count, nor down below half.",
			"UpdateShardCount from 4 shards refuses TargetShardCount %s", nil, refuses{"9", "1", "0"}, codes{"InvalidArgumentException", "LimitExceededException", "ValidationException"}, scaleFour},
	}
}

func createNamed(c *caseRun, value string) error {
	_, err := c.kinesis.CreateStream(c.ctx, &kinesis.CreateStreamInput{StreamName: &value, ShardCount: ptr(int32(1))})
	return err
}

func increaseRetention(c *caseRun, value string) error {
	return c.increase(c.stream(1), c.int32(value))
}

func decreaseRetention(c *caseRun, value string) error {
	return c.decrease(c.stream(1), c.int32(value))
}

// oneStream returns a stream that all calls of a case share: on AWS each stream
// costs a shard-hour.
func (c *caseRun) oneStream() string {
	if c.shared == "" {
		c.shared = c.stream(1)
	}
	return c.shared
}

func putKey(c *caseRun, value string) error {
	_, err := c.tryPut(c.oneStream(), value, "x")
	return err
}

func putHash(c *caseRun, value string) error {
	_, err := c.putExplicit(c.oneStream(), value)
	return err
}

func putData(c *caseRun, value string) error {
	_, err := c.tryPut(c.oneStream(), "k", strings.Repeat("x", int(c.int32(value))))
	return err
}

func putDataAndKey(c *caseRun, value string) error {
	const key = "key"
	_, err := c.tryPut(c.oneStream(), key, strings.Repeat("x", int(c.int32(value))-len(key)))
	return err
}

func putNumber(c *caseRun, value string) error {
	batch := append([]types.PutRecordsRequestEntry{}, records(int(c.int32(value)), "x")...) // nil would be left out
	_, err := c.putRecords(c.oneStream(), batch)
	return err
}

func putInAll(c *caseRun, value string) error {
	const n = 11
	_, err := c.putRecords(c.stream(1), records(n, strings.Repeat("x", int(c.int32(value))/n)))
	return err
}

func iteratorOfType(c *caseRun, value string) error {
	name := c.oneStream()
	_, err := c.tryIterator(name, *c.shards(name)[0].ShardId, iteratorType(types.ShardIteratorType(value)))
	return err
}

func iteratorAt(c *caseRun, value string) error {
	name := c.stream(1)
	_, err := c.tryIterator(name, *c.shards(name)[0].ShardId, atSequence("AT_SEQUENCE_NUMBER", value))
	return err
}

func getAtMost(c *caseRun, value string) error {
	name := c.oneStream()
	iterator := c.iterator(name, *c.shards(name)[0].ShardId, iteratorType("TRIM_HORIZON"))
	_, err := c.kinesis.GetRecords(c.ctx, &kinesis.GetRecordsInput{ShardIterator: &iterator, Limit: ptr(c.int32(value))})
	return err
}

func getWith(c *caseRun, value string) error {
	_, err := c.once.GetRecords(c.ctx, &kinesis.GetRecordsInput{ShardIterator: &value})
	return err
}

func splitAt(c *caseRun, value string) error {
	name := c.stream(2)
	lower := c.shards(name)[0]
	_, err := c.kinesis.SplitShard(c.ctx, &kinesis.SplitShardInput{StreamName: &name, ShardToSplit: lower.ShardId, NewStartingHashKey: &value})
	return err
}

func scaleFour(c *caseRun, value string) error {
	_, err := c.scale(c.stream(4), c.int32(value))
	return err
}
