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
		{LocalStack, "PutRecords takes 10 MiB in all", "11 MB are taken, in up to minutes.", true},
		{LocalStack, "a read gives 10 MiB at most", "Its records have 1 MiB at most, and reads are not limited.", true},
		{LocalStack, "a consumer is deregistered", "Beside other calls one stayed DELETING in three runs of seven.", true},
	}
	for _, one := range append(localstackQueues(), localstackStreams()...) {
		all = append(all, difference{LocalStack, one[0], one[1], false})
	}
	return all
}

func localstackQueues() [][2]string {
	return [][2]string{
		{"a receive asks for ten at most", "11 is refused, a negative number is taken."},
		{"long polling waits 20 seconds at most", "As a queue's attribute 21 is taken; only in a receive it is refused."},
		{"a delay is 15 minutes at most", "901 and -1 are taken."},
		{"a queue's own maximum is kept", "It is kept, but may be set to 1,023 or 1,048,577."},
		{"120,000 messages are in flight at most", "As many as are asked for."},
		{"a message has ten attributes at most", "An eleventh is taken."},
		{"an attribute has a name and a type that are allowed", "A name with two periods in succession and a Number that is none are taken."},
		{"visibility is 12 hours at most", "43,201 seconds are taken, by a queue and by a receive."},
		{"only what is in flight has visibility to change", "It changes the visibility of a message that was given back."},
		{"visibility in batches, each entry by itself", "SenderFault is false where the sender is at fault."},
		{"a batch fails in part", "An entry with a delay of 901 seconds succeeds."},
		{"deletes in batches, each entry by itself", "SenderFault is false where the sender is at fault."},
		{"retention is 60 seconds to 14 days", "Anything is taken, text too."},
		{"a deleted queue's name is free after 60 seconds", "It is free at once (unless SQS_DELAY_RECENTLY_DELETED is set)."},
		{"a queue is purged once in 60 seconds", "As often as asked (unless SQS_DELAY_PURGE_RETRY is set)."},
		{"a redrive policy's target exists and is of the same kind", "The target is not looked at: one of the other kind or none at all is taken."},
		{"a redrive policy is well formed", "What is no JSON is answered with status 500; a target that is no ARN is taken."},
		{"a dead-letter queue says who may use it", "RedriveAllowPolicy is stored and not looked at."},
		{"a moved message is a new message", "It keeps its id and its receive count, so it may die at the next receive."},
		{"a dead FIFO message has its message id for a deduplication id", "It keeps its own deduplication id."},
		{"deduplication can be by group", "It is, but perMessageGroupId is also taken with DeduplicationScope queue."},
		{"a receive can be tried again", "ReceiveRequestAttemptId is ignored: the next messages come."},
	}
}

func localstackStreams() [][2]string {
	return [][2]string{
		{"a stream's creation time is in every description", "ListStreams has no StreamSummaries."},
		{"streams are listed by page, in order of name", "ListStreams has no NextToken, only ExclusiveStartStreamName."},
		{"a hash key is within 128 bits", "One that is no number is answered with status 500."},
		{"a record has up to 1 MiB", "The partition key doesn't count."},
		{"PutRecords refuses 501 records", "They are taken."},
		{"PutRecords refuses no records", "They are taken."},
		{"over 1,000 records a second a call fails in part", "Writes are not limited."},
		{"over 1 MB a second a call fails in part", "Writes are not limited."},
		{"PutRecord over the limit is refused", "Writes are not limited."},
		{"a time between records starts at the next", "Times are whole seconds: records earlier in the same second come too."},
		{"an iterator needs what its type needs", "A type that isn't one is a SerializationException."},
		{"what is no iterator is refused", "It is answered with status 500."},
		{"a shard answers five reads a second", "Reads are not limited."},
		{"a shard gives 2 MB a second", "Reads are not limited."},
		{"a split is inside the shard", "A hash key that is no number is answered with status 500."},
		{"sequence numbers rise through a reshard", "A closed shard's EndingSequenceNumber is 9223372036854775807, below its records'."},
		{"AT_TRIM_HORIZON lists the shards of the beginning", "It lists all shards."},
		{"consumers are listed by page", "There is no NextToken: what is not on the first page can't be listed."},
		{"records are pushed when they arrive", "SubscribeToShard polls, with 3 seconds of sleep when nothing is there: p50 about 3 s."},
		{"a second subscription within 5 seconds is refused", "It is taken, and both get the records."},
		{"a subscription after 5 seconds takes over", "Both go on and get the records."},
		{"at a closed shard's end come its children, and the end", "It ends, without ChildShards."},
		{"what is no consumer, no shard is refused", "It is answered with status 500."},
		{"an operation that isn't one is refused", "For Kinesis it is answered with status 500 and InternalError."},
		{"a body that is no JSON is refused", "It is answered with status 500 and InternalError."},
	}
}
