package conformance

// difference says what a backend does instead of what AWS documents. The case
// that it names must fail there: see Run.
type difference struct {
	backend Backend
	name    string // of the case
	instead string
	skip    bool // isn't tried: there is nothing to try
}

// differences are all that are known. LocalStack's were seen in 4.14.0, whose
// Kinesis is kinesis-mock 0.5.2. None was seen on AWS: no case was run there.
func differences() []difference {
	all := []difference{
		{AWS, "what was sent can be read", "The phone gets it: /_aws/sns/sms-messages is the emulator's and LocalStack's alone.", true},
		{LocalStack, "PutRecords refuses 11000000 bytes in all", "They are taken, in up to minutes.", true},
		{LocalStack, "a read returns 10 MiB at most", "Its records have 1 MiB at most, and reads are not limited.", true},
		{LocalStack, "a consumer is deregistered", "Beside other calls one stayed DELETING in three runs of seven.", true},
	}

	for _, one := range append(localstackQueues(), localstackStreams()...) {
		all = append(all, difference{LocalStack, one[0], one[1], false})
	}
	return all
}

func localstackQueues() [][2]string {
	return [][2]string{
		{"120,000 messages are in flight at most", "As many as are asked for."},
		{"visibility is 12 hours at most, from the receive on", "A change of visibility may end later than that."},
		{"only what is in flight has visibility to change", "It changes the visibility of a message that is visible."},
		{"visibility in batches, each entry by itself", "SenderFault is false where the sender is at fault."},
		{"a batch fails in part", "An entry with a delay of 901 seconds succeeds."},
		{"deletes in batches, each entry by itself", "SenderFault is false where the sender is at fault."},
		{"a deleted queue's name is free after 60 seconds", "It is free at once (unless SQS_DELAY_RECENTLY_DELETED is set)."},
		{"a queue is purged once in 60 seconds", "As often as asked (unless SQS_DELAY_PURGE_RETRY is set)."},
		{"a redrive policy's target exists and is of the same kind", "The target is not looked at: one of the other kind or none at all is taken."},
		{"a dead-letter queue says who may use it", "RedriveAllowPolicy is stored and not looked at."},
		{"a moved message is a new message", "It keeps its id and its receive count, so it may die at the next receive."},
		{"a dead-lettered FIFO message has its message id for a deduplication id", "It keeps its own deduplication id."},
		{"ReceiveMessage refuses MaxNumberOfMessages -1", "It is taken."},
		{"ReceiveMessage refuses VisibilityTimeout 43201", "It is taken."},
		{"SendMessage refuses DelaySeconds 901", "It is taken."},
		{"SendMessage refuses DelaySeconds -1", "It is taken."},
		{"SendMessage refuses 11 attributes", "They are taken."},
		{`SendMessage refuses the attribute name "a..b"`, "It is taken."},
		{`SendMessage refuses the Number "one"`, "It is taken."},
		{`CreateQueue with perMessageGroupId refuses the DeduplicationScope "queue"`, "It is taken."},
		{"SetQueueAttributes refuses ReceiveMessageWaitTimeSeconds 21", "It is taken."},
		{"SetQueueAttributes refuses MaximumMessageSize 1023", "It is taken."},
		{"SetQueueAttributes refuses MaximumMessageSize 1048577", "It is taken."},
		{"SetQueueAttributes refuses MessageRetentionPeriod 59", "It is taken."},
		{"SetQueueAttributes refuses MessageRetentionPeriod 1209601", "It is taken."},
		{`SetQueueAttributes refuses MessageRetentionPeriod "long"`, "It is taken."},
		{"SetQueueAttributes refuses VisibilityTimeout 43201", "It is taken."},
		{`SetQueueAttributes refuses RedrivePolicy "not JSON"`, "It is answered with status 500."},
		{`SetQueueAttributes refuses RedrivePolicy {"deadLetterTargetArn":"nonsense","maxReceiveCount":3}`, "It is taken."},
		{"ChangeMessageVisibility refuses VisibilityTimeout 43201", "It is taken."},
	}
}

func localstackStreams() [][2]string {
	return [][2]string{
		{"a stream's creation time is in every description", "ListStreams has no StreamSummaries."},
		{"streams are listed by page, in order of name", "ListStreams has no NextToken, only ExclusiveStartStreamName."},
		{`PutRecord refuses ExplicitHashKey "x"`, "It is answered with status 500."},
		{"PutRecord refuses data and key of 1048577 bytes", "They are taken: the partition key doesn't count."},
		{"PutRecords refuses 0 records", "They are taken."},
		{"PutRecords refuses 501 records", "They are taken."},
		{`GetShardIterator refuses the type "SOMEWHERE" alone`, "It is a SerializationException."},
		{`GetRecords refuses the iterator "nonsense"`, "It is answered with status 500."},
		{`GetRecords refuses the iterator "AAAAAAAAAAGm0EJBm9nYTPzO8oNVGGzTAcGuNzhMqOg2Xz0HZjNLVQ=="`, "It is answered with status 500."},
		{`SplitShard of the lower half refuses NewStartingHashKey "x"`, "It is answered with status 500."},
		{"over 1,000 records a second a call fails in part", "Writes are not limited."},
		{"over 1 MB a second a call fails in part", "Writes are not limited."},
		{"PutRecord over the limit is refused", "Writes are not limited."},
		{"a time between records starts at the next", "Times are whole seconds: records earlier in the same second come too."},
		{"a shard answers five reads a second", "Reads are not limited."},
		{"a shard returns 2 MB a second", "Reads are not limited."},
		{"sequence numbers rise through a reshard", "A closed shard's EndingSequenceNumber is 9223372036854775807, below its records'."},
		{"AT_TRIM_HORIZON lists the shards of the beginning", "It lists all shards."},
		{"consumers are listed by page", "There is no NextToken: what is not on the first page can't be listed."},
		{"records are pushed when they arrive", "SubscribeToShard polls, with 3 seconds of sleep when there is nothing: p50 about 3 s."},
		{"a second subscription within 5 seconds is refused", "It is taken, and both get the records."},
		{"a subscription after 5 seconds takes over", "Both go on and get the records."},
		{"at a closed shard's end come its children, and the end", "It ends, without ChildShards."},
		{"what is no consumer, no shard is refused", "It is answered with status 500."},
		{"an operation that isn't one is refused", "For Kinesis it is answered with status 500 and InternalError."},
		{"a body that is no JSON is refused", "It is answered with status 500 and InternalError."},
	}
}
