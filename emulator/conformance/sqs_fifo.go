package conformance

import (
	"fmt"
	"math/big"
	"time"

	"github.com/stretchr/testify/require"
)

func fifoCases() []testCase {
	send, logic, once := sqsAPI+"API_SendMessage.html", sqsGuide+"FIFO-queues-understanding-logic.html", sqsGuide+"FIFO-queues-exactly-once-processing.html"
	return []testCase{
		promise("a FIFO group is in order", logic,
			"Messages of a group are received in the order in which they were sent; a call gets as many of one group as it can.", groupOrder),
		promise("a group waits while one of it is in flight", logic,
			"No more messages of a group are returned until those in flight are deleted or visible again; other groups go on.", groupWaits),
		promise("a message made visible again is the next of its group", logic,
			"Messages within the same message group are always processed one at a time, in strict order.", returnedIsNext),
		promise("a deduplication id is taken once in five minutes", once,
			"Messages with the same deduplication id are accepted but not delivered during the 5-minute interval.", deduplicates),
		promise("a deduplication id stays taken after the delete", send,
			"SQS keeps track of the deduplication id even after the message is received and deleted.", deduplicatesDeleted),
		promise("content can deduplicate", once,
			"With ContentBasedDeduplication a SHA-256 of the body is the id; an explicit id overrides it.", contentDeduplicates),
		promise("deduplication can be by group", sqsGuide+"high-throughput-fifo.html",
			"DeduplicationScope messageGroup: deduplication occurs at the message group level.", deduplicatesByGroup),
		promise("sequence numbers rise in a group", send,
			"SequenceNumber: 128 bits, increasing for a particular MessageGroupId, not consecutive.", sequenceRises),
		promise("a FIFO message says its group, id and number", sqsAPI+"API_ReceiveMessage.html",
			"MessageGroupId, MessageDeduplicationId and SequenceNumber are attributes of a message.", fifoAttributes),
		promise("an expired handle deletes nothing", "https://repost.aws/knowledge-center/sqs-receipt-handle-error",
			"For FIFO queues a receipt handle expires with the visibility timeout: InvalidParameterValue.", expiredHandle),
		promise("a batch keeps its order", sqsGuide+"FIFO-queues-understanding-logic.html",
			"Messages sent one after the other with one group keep their order.", fifoBatch),
		promise("a dead-lettered FIFO message has its message id for a deduplication id", sqsGuide+"sqs-configure-dead-letter-queue-redrive.html",
			"When a message moves from a FIFO queue to a FIFO DLQ, its deduplication id is replaced with its message id.", deadLetterDeduplication),
	}
}

func (c *caseRun) fifo(attributes ...string) string {
	return c.queue(append([]string{"FifoQueue", "true"}, attributes...)...)
}

// sendGroups sends each body to the group that its first letter names.
func (c *caseRun) sendGroups(url string, list ...string) {
	for _, body := range list {
		c.send(url, body, toGroup(body[:1], body))
	}
}

func groupOrder(c *caseRun) {
	url := c.fifo()
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("a", i))
	}
	c.sendGroups(url, want...)

	var got []string
	for len(got) < len(want) {
		batch := c.receive(url, 5, atMost(4))
		require.NotEmpty(c, batch)
		got = append(got, bodies(batch)...)
		c.delete(url, batch...)
	}

	require.Equal(c, want, got)
}

func groupWaits(c *caseRun) {
	url := c.fifo()
	c.sendGroups(url, "a1", "b1", "a2", "b2")
	first := c.receiveOne(url, visibility(60))
	require.Equal(c, "a1", *first.Body)
	require.Equal(c, []string{"b1", "b2"}, bodies(c.collect(url, 2, visibility(60))), "group a waits for a1")
	c.receivesNone(url, 1, "both groups wait")

	c.delete(url, first)
	require.Equal(c, "a2", *c.receiveOne(url).Body)
}

func returnedIsNext(c *caseRun) {
	url := c.fifo()
	c.sendGroups(url, "a1", "a2")
	m := c.receiveOne(url, visibility(60))
	require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 0))

	require.Equal(c, "a1", *c.receiveOne(url).Body)
}

func deduplicates(c *caseRun) {
	url := c.fifo()
	c.send(url, "once", toGroup("g", "same"))
	c.send(url, "twice", toGroup("h", "same"))
	require.Equal(c, "once", *c.receiveOne(url).Body)
	c.receivesNone(url, 1, "the second was a duplicate, in another group too")
}

func deduplicatesDeleted(c *caseRun) {
	url := c.fifo()
	c.send(url, "x", toGroup("g", "same"))
	c.delete(url, c.receiveOne(url))
	c.send(url, "x", toGroup("g", "same"))
	c.receivesNone(url, 1, "its id is still taken")
}

func contentDeduplicates(c *caseRun) {
	url := c.fifo("ContentBasedDeduplication", "true")
	c.send(url, "same", toGroup("g"))
	c.send(url, "same", toGroup("g"), withAttributes(someAttributes()))
	c.send(url, "same", toGroup("g", "its-own"))
	require.Len(c, c.collect(url, 2), 2)
	c.receivesNone(url, 1, "two are all")
}

func deduplicatesByGroup(c *caseRun) {
	url := c.fifo("DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId")
	c.send(url, "a", toGroup("a", "same"))
	c.send(url, "b", toGroup("b", "same"))
	c.send(url, "again", toGroup("b", "same"))
	require.ElementsMatch(c, []string{"a", "b"}, bodies(c.collect(url, 2)))
}

func sequenceRises(c *caseRun) {
	url := c.fifo()
	last := new(big.Int)
	for i := range 5 {
		out := c.send(url, fmt.Sprint(i), toGroup("g", fmt.Sprint(i)))
		n, ok := new(big.Int).SetString(*out.SequenceNumber, 10)
		require.True(c, ok, *out.SequenceNumber)
		require.Positive(c, n.Cmp(last))
		last = n
	}
}

func fifoAttributes(c *caseRun) {
	url := c.fifo()
	sent := c.send(url, "x", toGroup("the-group", "the-id"))
	a := c.receiveOne(url).Attributes
	require.Equal(c, "the-group", a["MessageGroupId"])
	require.Equal(c, "the-id", a["MessageDeduplicationId"])
	require.Equal(c, *sent.SequenceNumber, a["SequenceNumber"])
}

func expiredHandle(c *caseRun) {
	url := c.fifo()
	c.sendGroups(url, "a1")
	m := c.receiveOne(url, visibility(1))
	// The visibility of one second is over, and with it the handle.
	c.pause(1500 * time.Millisecond)
	c.refused(c.tryDelete(url, *m.ReceiptHandle), "InvalidParameterValue")
	require.Equal(c, "a1", *c.receiveOne(url).Body, "it is still there")
}

func fifoBatch(c *caseRun) {
	url := c.fifo()
	batch := entries(10, "")
	var want []string
	for i := range batch {
		body := fmt.Sprint("m", i)
		batch[i].MessageBody, batch[i].MessageGroupId, batch[i].MessageDeduplicationId = &body, ptr("g"), &body
		want = append(want, body)
	}

	_, err := c.sendBatch(url, batch)
	require.NoError(c, err)
	var got []string
	for len(got) < len(want) {
		batch := c.receive(url, 5)
		require.NotEmpty(c, batch)
		got = append(got, bodies(batch)...)
		c.delete(url, batch...)
	}

	require.Equal(c, want, got)
}

func deadLetterDeduplication(c *caseRun) {
	url, dead := c.withDeadLetterQueue("FifoQueue", "true")
	sent := c.send(url, "x", toGroup("g", "d"))
	c.deadLetter(url, dead, 1)
	require.Equal(c, *sent.MessageId, c.receiveOne(dead).Attributes["MessageDeduplicationId"])
}
