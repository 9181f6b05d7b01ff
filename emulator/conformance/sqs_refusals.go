package conformance

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func sqsRefusals() []refusal {
	const (
		receive    = sqsAPI + "API_ReceiveMessage.html"
		send       = sqsAPI + "API_SendMessage.html"
		batch      = sqsAPI + "API_SendMessageBatch.html"
		create     = sqsAPI + "API_CreateQueue.html"
		set        = sqsAPI + "API_SetQueueAttributes.html"
		get        = sqsAPI + "API_GetQueueAttributes.html"
		remove     = sqsAPI + "API_DeleteMessage.html"
		visibility = sqsAPI + "API_ChangeMessageVisibility.html"
		cancel     = sqsAPI + "API_CancelMessageMoveTask.html"
		polling    = sqsGuide + "sqs-short-and-long-polling.html"
		metadata   = sqsGuide + "sqs-message-metadata.html"
		hours      = sqsGuide + "sqs-visibility-timeout.html"
	)
	parameter := codes{"InvalidParameterValue"}
	missing := codes{"MissingParameter", "InvalidParameterValue"}
	attribute := codes{"InvalidAttributeValue", "InvalidParameterValue"}
	policy := codes{"InvalidAttributeValue", "InvalidParameterValue", "QueueDoesNotExist"}
	fixed := codes{"InvalidAttributeName", "InvalidAttributeValue", "InvalidParameterValue"}

	return []refusal{
		{receive, "MaxNumberOfMessages: valid values 1 to 10.",
			"ReceiveMessage refuses MaxNumberOfMessages %s", takes{"1", "10"}, refuses{"11", "-1"}, parameter, receiveAtMost},
		{polling, "The maximum long polling wait time is 20 seconds.",
			"ReceiveMessage refuses WaitTimeSeconds %s", takes{"1"}, refuses{"21"}, parameter, receiveWaiting},
		{hours, "A message is invisible for 12 hours at most.",
			"ReceiveMessage refuses VisibilityTimeout %s", takes{"43200"}, refuses{"43201"}, parameter, receiveHidden},

		{send, "DelaySeconds: 0 to 900.",
			"SendMessage refuses DelaySeconds %s", takes{"900"}, refuses{"901", "-1"}, parameter, sendDelayed},
		{send, "The minimum size is one character.",
			"SendMessage refuses MessageBody %s", takes{"x"}, refuses{""}, missing, sendBody},
		{send, "InvalidMessageContents: only #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF are allowed.",
			"SendMessage refuses MessageBody %s", takes{"a\tb"}, refuses{"a\x00b", "a\x0bb", "a\uFFFEb"}, codes{"InvalidMessageContents"}, sendBody},
		{send, "The maximum size is 1 MiB or 1,048,576 bytes.",
			"SendMessage refuses a body of %s bytes", takes{"1048576"}, refuses{"1048577"}, parameter, sendBytes},
		{metadata, "Each message can have up to 10 attributes.",
			"SendMessage refuses %s attributes", takes{"10"}, refuses{"11"}, parameter, sendAttributes},
		{metadata, "A name has up to 256 characters, A-Z, a-z, 0-9, _, - and ., without periods in succession; it doesn't start with AWS. or Amazon.",
			"SendMessage refuses the attribute name %s", takes{"a.b-c_1"}, refuses{"a space", "AWS.x", "a..b", strings.Repeat("n", 257)}, parameter, sendAttributeNamed},
		{metadata, "A type is String, Number or Binary, with an optional label.",
			"SendMessage refuses the attribute type %s", takes{"String", "String.label"}, refuses{"Text"}, parameter, sendAttributeOfType},
		{metadata, "Number attributes can store positive or negative numerical values.",
			"SendMessage refuses the Number %s", takes{"-12.5"}, refuses{"one"}, parameter, sendNumber},
		{send, "If there is no MessageDeduplicationId and no ContentBasedDeduplication, the action fails with an error.",
			"SendMessage to a FIFO queue refuses MessageDeduplicationId %s", takes{"d"}, refuses{""}, parameter, sendDeduplicated},
		{send, "Without a MessageGroupId, a send to a FIFO queue fails.",
			"SendMessage to a FIFO queue refuses MessageGroupId %s", takes{"g"}, refuses{""}, missing, sendToGroup},
		{send, "When you set FifoQueue, you can't set DelaySeconds per message.",
			"SendMessage to a FIFO queue refuses DelaySeconds %s", nil, refuses{"5"}, parameter, sendDelayedToGroup},

		{batch, "EmptyBatchRequest: the batch request doesn't contain any entries.",
			"SendMessageBatch refuses %s entries", takes{"1"}, refuses{"0"}, codes{"EmptyBatchRequest"}, sendEntries},
		{batch, "TooManyEntriesInBatchRequest: the batch request contains more entries than permissible, ten.",
			"SendMessageBatch refuses %s entries", takes{"10"}, refuses{"11"}, codes{"TooManyEntriesInBatchRequest"}, sendEntries},
		{batch, "BatchEntryIdsNotDistinct: two or more batch entries in the request have the same id.",
			"SendMessageBatch refuses the ids %s", takes{"a,b"}, refuses{"a,a"}, codes{"BatchEntryIdsNotDistinct"}, sendIDs},
		{batch, "InvalidBatchEntryId: up to 80 characters of alphanumeric, hyphen and underscore.",
			"SendMessageBatch refuses the id %s", takes{"a-b_1", strings.Repeat("i", 80)}, refuses{"a b", "a.b", strings.Repeat("i", 81)}, codes{"InvalidBatchEntryId"}, sendIDs},
		{batch, "BatchRequestTooLong: the length of all the messages put together is more than the limit.",
			"SendMessageBatch refuses %s bytes in all", takes{"1048576"}, refuses{"1310720"}, codes{"BatchRequestTooLong"}, sendEntriesOfBytes},

		{create, "Up to 80 characters: alphanumeric, hyphens, underscores.",
			"CreateQueue refuses the name %s", nil, refuses{"a b", "a.b", "a/b", strings.Repeat("n", 81)}, parameter, createStandard},
		{create, "A FIFO queue's name ends with .fifo, a standard queue's does not.",
			"CreateQueue for a standard queue refuses the name %s", nil, refuses{"conformance.fifo"}, parameter, createStandard},
		{create, "A FIFO queue's name ends with .fifo, a standard queue's does not.",
			"CreateQueue for a FIFO queue refuses the name %s", nil, refuses{"conformance"}, parameter, createFIFO},
		{create, "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.",
			"CreateQueue with perMessageGroupId refuses the DeduplicationScope %s", takes{"messageGroup"}, refuses{"queue"}, attribute, createWithScope},

		{set, "ReceiveMessageWaitTimeSeconds: an integer from 0 to 20.",
			"SetQueueAttributes refuses ReceiveMessageWaitTimeSeconds %s", takes{"0", "20"}, refuses{"21"}, attribute, setting("ReceiveMessageWaitTimeSeconds")},
		{set, "MaximumMessageSize: an integer from 1,024 bytes up to 1,048,576 bytes.",
			"SetQueueAttributes refuses MaximumMessageSize %s", takes{"1024", "1048576"}, refuses{"1023", "1048577"}, attribute, setting("MaximumMessageSize")},
		{set, "MessageRetentionPeriod: an integer from 60 to 1,209,600.",
			"SetQueueAttributes refuses MessageRetentionPeriod %s", takes{"60", "1209600"}, refuses{"59", "1209601", "long"}, attribute, setting("MessageRetentionPeriod")},
		{set, "VisibilityTimeout: an integer from 0 to 43,200.",
			"SetQueueAttributes refuses VisibilityTimeout %s", takes{"0", "43200"}, refuses{"43201"}, attribute, setting("VisibilityTimeout")},
		{set, "InvalidAttributeName: the specified attribute doesn't exist.",
			"SetQueueAttributes refuses the attribute %s", takes{"DelaySeconds"}, refuses{"Colour"}, codes{"InvalidAttributeName"}, setAttribute},
		{set, "FifoQueue can be given only during queue creation.",
			"SetQueueAttributes on a FIFO queue refuses FifoQueue %s", nil, refuses{"false"}, fixed, setFIFO},
		{set, "ContentBasedDeduplication applies only to FIFO queues.",
			"SetQueueAttributes on a standard queue refuses ContentBasedDeduplication %s", nil, refuses{"true"}, fixed, setting("ContentBasedDeduplication")},
		{set, "RedrivePolicy is JSON with deadLetterTargetArn, the ARN of a queue, and maxReceiveCount.",
			"SetQueueAttributes refuses RedrivePolicy %s", nil, refuses{"not JSON", `{"maxReceiveCount":3}`, redrive("nonsense", 3)}, policy, setting("RedrivePolicy")},
		{set, "maxReceiveCount: 1 to 1,000, as a number or as text.",
			"SetQueueAttributes refuses maxReceiveCount %s", takes{"1", `"1000"`}, refuses{"0", "1001"}, policy, setMaxReceiveCount},
		{get, "InvalidAttributeName: the specified attribute doesn't exist.",
			"GetQueueAttributes refuses the attribute %s", takes{"DelaySeconds"}, refuses{"Colour"}, codes{"InvalidAttributeName"}, getAttribute},

		{remove, "ReceiptHandleIsInvalid: the specified receipt handle isn't valid.",
			"DeleteMessage refuses the handle %s", nil, refuses{"nonsense"}, codes{"ReceiptHandleIsInvalid"}, deleteByHandle},
		{visibility, "ReceiptHandleIsInvalid: the specified receipt handle isn't valid.",
			"ChangeMessageVisibility refuses the handle %s", nil, refuses{"nonsense"}, codes{"ReceiptHandleIsInvalid"}, changeVisibilityByHandle},
		{hours, "A message is invisible for 12 hours at most.",
			"ChangeMessageVisibility refuses VisibilityTimeout %s", takes{"43000"}, refuses{"43201"}, parameter, changeVisibilityInFlight},
		{cancel, "ResourceNotFoundException: one or more specified resources don't exist.",
			"CancelMessageMoveTask refuses the handle %s", nil, refuses{"nonsense"}, codes{"ResourceNotFoundException", "InvalidParameterValue"}, cancelMove},
	}
}

func receiveAtMost(c *caseRun, value string) error {
	_, err := c.tryReceive(c.queue(), 0, atMost(c.int32(value)))
	return err
}

func receiveWaiting(c *caseRun, value string) error {
	_, err := c.tryReceive(c.queue(), c.int32(value))
	return err
}

func receiveHidden(c *caseRun, value string) error {
	_, err := c.tryReceive(c.queue(), 0, visibility(c.int32(value)))
	return err
}

func sendBody(c *caseRun, value string) error {
	_, err := c.trySend(c.queue(), value)
	return err
}

func sendBytes(c *caseRun, value string) error {
	return sendBody(c, strings.Repeat("x", int(c.int32(value))))
}

func sendDelayed(c *caseRun, value string) error {
	_, err := c.trySend(c.queue(), "x", delayed(c.int32(value)))
	return err
}

func (c *caseRun) sendAttribute(name string, value types.MessageAttributeValue) error {
	_, err := c.trySend(c.queue(), "x", withAttributes(map[string]types.MessageAttributeValue{name: value}))
	return err
}

func sendAttributeNamed(c *caseRun, value string) error {
	return c.sendAttribute(value, attributeOf("String", "x"))
}

func sendAttributeOfType(c *caseRun, value string) error {
	return c.sendAttribute("type", attributeOf(value, "x"))
}

func sendNumber(c *caseRun, value string) error {
	return c.sendAttribute("number", attributeOf("Number", value))
}

func sendAttributes(c *caseRun, value string) error {
	attributes := map[string]types.MessageAttributeValue{}
	for i := range c.int32(value) {
		attributes[fmt.Sprint("a", i)] = attributeOf("String", "x")
	}
	_, err := c.trySend(c.queue(), "x", withAttributes(attributes))

	return err
}

func sendDeduplicated(c *caseRun, value string) error {
	to := toGroup("g")
	if value != "" {
		to = toGroup("g", value)
	}
	_, err := c.trySend(c.fifo(), "x", to)

	return err
}

func sendToGroup(c *caseRun, value string) error {
	url := c.fifo("ContentBasedDeduplication", "true")
	if value == "" {
		_, err := c.trySend(url, "x")
		return err
	}
	_, err := c.trySend(url, "x", toGroup(value))

	return err
}

func sendDelayedToGroup(c *caseRun, value string) error {
	_, err := c.trySend(c.fifo(), "x", toGroup("g", "d"), delayed(c.int32(value)))
	return err
}

func sendEntries(c *caseRun, value string) error {
	url := c.queue()
	batch := append([]types.SendMessageBatchRequestEntry{}, entries(int(c.int32(value)), "m")...) // nil would be left out
	_, err := c.sendBatch(url, batch)
	if err != nil {
		c.receivesNone(url, 0, "none of a refused batch was sent")
	}

	return err
}

func sendEntriesOfBytes(c *caseRun, value string) error {
	const n = 5
	bytes := int(c.int32(value))
	batch := entries(n, strings.Repeat("x", bytes/n))
	batch[0].MessageBody = ptr(strings.Repeat("x", bytes/n+bytes%n))
	_, err := c.sendBatch(c.queue(), batch)

	return err
}

// sendIDs sends a batch with an entry for each of the ids, which commas part.
func sendIDs(c *caseRun, value string) error {
	var batch []types.SendMessageBatchRequestEntry
	for id := range strings.SplitSeq(value, ",") {
		batch = append(batch, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: ptr("m")})
	}
	_, err := c.sendBatch(c.queue(), batch)

	return err
}

func createStandard(c *caseRun, value string) error {
	_, err := c.createQueue(value)
	return err
}

func createFIFO(c *caseRun, value string) error {
	_, err := c.createQueue(value, "FifoQueue", "true")
	return err
}

func createWithScope(c *caseRun, value string) error {
	_, err := c.createQueue(unique("conformance")+".fifo", "FifoQueue", "true", "DeduplicationScope", value, "FifoThroughputLimit", "perMessageGroupId")
	return err
}

// setting sets one attribute of a new standard queue.
func setting(attribute string) func(*caseRun, string) error {
	return func(c *caseRun, value string) error { return c.set(c.queue(), attribute, value) }
}

func setAttribute(c *caseRun, value string) error { return c.set(c.queue(), value, "1") }

func setFIFO(c *caseRun, value string) error { return c.set(c.fifo(), "FifoQueue", value) }

func setMaxReceiveCount(c *caseRun, value string) error {
	dead := c.arn(c.queue())
	return c.set(c.queue(), "RedrivePolicy", fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%s}`, dead, value))
}

func getAttribute(c *caseRun, value string) error {
	url := c.queue()
	_, err := c.sqs.GetQueueAttributes(c.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeName(value)}})
	return err
}

func deleteByHandle(c *caseRun, value string) error { return c.tryDelete(c.queue(), value) }

func changeVisibilityByHandle(c *caseRun, value string) error {
	return c.changeVisibility(c.queue(), value, 1)
}

func changeVisibilityInFlight(c *caseRun, value string) error {
	url := c.queue()
	c.send(url, "x")
	return c.changeVisibility(url, *c.receiveOne(url, visibility(30)).ReceiptHandle, c.int32(value))
}

func cancelMove(c *caseRun, value string) error {
	_, err := c.sqs.CancelMessageMoveTask(c.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &value})
	return err
}
