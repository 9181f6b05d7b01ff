package conformance

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

func visibilityCases() []testCase {
	guide, change := sqsGuide+"sqs-visibility-timeout.html", sqsAPI+"API_ChangeMessageVisibility.html"
	return []testCase{
		promise("a message that is not deleted comes back", guide,
			"If a message is not deleted before its visibility timeout ends, it becomes visible again.", comesBack),
		promise("a queue's visibility timeout is the default", guide,
			"Without a timeout in the request, the queue's applies, by default 30 seconds.", queueVisibility),
		promise("visibility 0 makes a message visible at once", guide,
			"A timeout of 0 makes the message available to other consumers at once.", zeroVisibility),
		promise("visibility can be extended", change,
			"The new timeout counts from the time of the call.", extend),
		promise("visibility is 12 hours at most, from the receive on", guide,
			"A message is invisible for 12 hours at most, counted from when it was received.", twelveHours),
		promise("only what is in flight has visibility to change", change,
			"MessageNotInflight: the specified message isn't in flight.", notInFlight),
		promise("visibility in batches, each entry by itself", sqsAPI+"API_ChangeMessageVisibilityBatch.html",
			"The result of each entry is reported by itself.", visibilityBatch),
		promise("counts tell visible, in flight and delayed apart", sqsAPI+"API_GetQueueAttributes.html",
			"ApproximateNumberOfMessages, …NotVisible and …Delayed.", threeCounts),
	}
}

func comesBack(c *caseRun) {
	url := c.queue()
	c.send(url, "again")
	first := c.receiveOne(url, visibility(2))
	c.receivesNone(url, 0, "it is in flight")

	second := c.receiveOne(url)
	require.Equal(c, *first.MessageId, *second.MessageId)
	require.NotEqual(c, *first.ReceiptHandle, *second.ReceiptHandle, "each receive has a handle of its own")
}

func queueVisibility(c *caseRun) {
	url := c.queue()
	require.Equal(c, "30", c.attributes(url)["VisibilityTimeout"])

	url = c.queue("VisibilityTimeout", "1")
	c.send(url, "again")
	c.receiveOne(url)
	began := time.Now()
	c.receiveOne(url)
	require.Less(c, time.Since(began), 15*time.Second, "after 1 second, not after 30")
}

func zeroVisibility(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	m := c.receiveOne(url, visibility(600))
	require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 0))
	require.Equal(c, "2", c.receiveOne(url).Attributes["ApproximateReceiveCount"])
}

func extend(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	m := c.receiveOne(url, visibility(2))
	require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 60))
	c.receivesNone(url, 4, "its first timeout is over, its second is not")

	c.delete(url, m)
}

func twelveHours(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	m := c.receiveOne(url, visibility(30))
	require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 43000))
	c.pause(1100 * time.Millisecond)
	// 12 hours from now would be more than 12 hours from the receive.
	c.refused(c.changeVisibility(url, *m.ReceiptHandle, 43200), "InvalidParameterValue")
}

func notInFlight(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	m := c.receiveOne(url, visibility(60))
	require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 0))

	c.refused(c.changeVisibility(url, *m.ReceiptHandle, 10), "MessageNotInflight")
}

func visibilityBatch(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	m := c.receiveOne(url, visibility(600))

	out, err := c.sqs.ChangeMessageVisibilityBatch(c.ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: ptr("good"), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0},
		{Id: ptr("bad"), ReceiptHandle: ptr("nonsense"), VisibilityTimeout: 0},
	}})
	require.NoError(c, err)

	require.Len(c, out.Successful, 1)
	require.Equal(c, "good", *out.Successful[0].Id)
	require.Len(c, out.Failed, 1)
	require.Equal(c, "bad", *out.Failed[0].Id)
	require.True(c, out.Failed[0].SenderFault)
	require.Equal(c, "ReceiptHandleIsInvalid", *out.Failed[0].Code)

	c.receiveOne(url)
}

func threeCounts(c *caseRun) {
	url := c.queue()
	for _, body := range []string{"1", "2", "3"} {
		c.send(url, body)
	}
	c.send(url, "4", delayed(600))
	c.receiveOne(url, visibility(600))
	c.awaitCounts(url, "2", "1", "1")
}
