package conformance

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"
)

func deadLetterCases() []testCase {
	guide, set := sqsGuide+"sqs-dead-letter-queues.html", sqsAPI+"API_SetQueueAttributes.html"
	return []testCase{
		promise("after maxReceiveCount receives a message is dead-lettered", guide,
			"When the ReceiveCount for a message exceeds the maxReceiveCount, SQS moves it to the dead-letter queue.", deadLettered),
		promise("a dead-lettered message keeps its enqueue time", guide,
			"For standard queues the original enqueue timestamp is unchanged when a message is moved to the dead-letter queue.", keepsEnqueueTime),
		promise("a dead-lettered message names its source queue", sqsAPI+"API_Message.html",
			"DeadLetterQueueSourceArn names the queue that it came from.", saysWhereFrom),
		promise("a FIFO group goes on after its head is dead-lettered", guide,
			"The dead-letter queue of a FIFO queue is a FIFO queue too.", fifoDeadLettered),
		promise("a redrive policy's target exists and is of the same kind", set,
			"The dead-letter queue of a FIFO queue must also be a FIFO queue, that of a standard queue a standard queue.", targetFits),
		promise("a redrive policy can be taken away", set, "Sets the value of one or more queue attributes.", policyTakenAway),
		promise("a dead-letter queue says who may use it", set,
			"RedriveAllowPolicy: allowAll, denyAll, or byQueue for the queues of sourceQueueArns.", allowPolicy),
		promise("a dead-letter queue's sources are listed", sqsAPI+"API_ListDeadLetterSourceQueues.html",
			"Returns the queues that have RedrivePolicy configured with this dead-letter queue.", listSources),
	}
}

func redrive(target string, receives int) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, target, receives)
}

// withDeadLetterQueue creates a dead-letter queue and a queue whose messages are
// dead-lettered after one receive.
func (c *caseRun) withDeadLetterQueue(attributes ...string) (url, dead string) {
	dead = c.queue(attributes...)
	return c.queue(append(attributes, "RedrivePolicy", redrive(c.arn(dead), 1))...), dead
}

// deadLetter receives n messages, makes them visible again and waits until the
// dead-letter queue has them.
func (c *caseRun) deadLetter(url, dead string, n int) {
	for _, m := range c.collect(url, n, visibility(60)) {
		require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 0))
	}

	c.eventually("the messages are dead-lettered", func() bool {
		// Some move a message only when it would be received once more.
		require.Empty(c, bodies(c.receive(url, 0)), "they must not be received again")
		return c.attributes(dead)["ApproximateNumberOfMessages"] == fmt.Sprint(n)
	})
}

func deadLettered(c *caseRun) {
	dead := c.queue()
	url := c.queue("RedrivePolicy", redrive(c.arn(dead), 3))
	sent := c.send(url, "poison", withAttributes(someAttributes()))

	for i := range 3 {
		m := c.receiveOne(url, visibility(60))
		require.Equal(c, fmt.Sprint(i+1), m.Attributes["ApproximateReceiveCount"])
		require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 0))
	}

	c.eventually("it is dead-lettered", func() bool {
		require.Empty(c, bodies(c.receive(url, 0)), "three receives are all")
		return c.attributes(dead)["ApproximateNumberOfMessages"] == "1"
	})

	m := c.receiveOne(dead)
	require.Equal(c, "poison", *m.Body)
	require.Equal(c, *sent.MessageId, *m.MessageId)
	require.Len(c, m.MessageAttributes, 5)
}

func keepsEnqueueTime(c *caseRun) {
	url, dead := c.withDeadLetterQueue()
	c.send(url, "x")
	first := c.receiveOne(url, visibility(1))
	// The message becomes visible again after a second; the next receive
	// dead-letters it.
	c.pause(1500 * time.Millisecond)
	c.eventually("it is dead-lettered", func() bool {
		require.Empty(c, bodies(c.receive(url, 0)))
		return c.attributes(dead)["ApproximateNumberOfMessages"] == "1"
	})

	require.Equal(c, first.Attributes["SentTimestamp"], c.receiveOne(dead).Attributes["SentTimestamp"])
}

func saysWhereFrom(c *caseRun) {
	url, dead := c.withDeadLetterQueue()
	c.send(url, "x")
	c.deadLetter(url, dead, 1)
	require.Equal(c, c.arn(url), c.receiveOne(dead).Attributes["DeadLetterQueueSourceArn"])
}

func fifoDeadLettered(c *caseRun) {
	url, dead := c.withDeadLetterQueue("FifoQueue", "true")
	c.send(url, "1", toGroup("g", "d1"))
	c.send(url, "2", toGroup("g", "d2"))
	m := c.receiveOne(url, visibility(60))
	require.Equal(c, "1", *m.Body)

	require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 0))
	require.Equal(c, "2", *c.receiveOne(url).Body, "the head is dead-lettered, the next is the head")

	got := c.receiveOne(dead)
	require.Equal(c, "1", *got.Body)
	require.Equal(c, "g", got.Attributes["MessageGroupId"])
}

func targetFits(c *caseRun) {
	standard, fifo := c.queue(), c.queue("FifoQueue", "true")
	for _, bad := range [][2]string{{fifo, c.arn(standard)}, {standard, c.arn(fifo)}, {standard, c.arn(standard) + "-none"}} {
		err := c.set(bad[0], "RedrivePolicy", redrive(bad[1], 3))
		require.Error(c, err, "the dead-letter queue of %s can't be %s", bad[0], bad[1])
		c.refused(err, "InvalidParameterValue", "InvalidAttributeValue", "QueueDoesNotExist")
	}
}

func policyTakenAway(c *caseRun) {
	url, _ := c.withDeadLetterQueue()
	require.NotEmpty(c, c.attributes(url)["RedrivePolicy"])

	require.NoError(c, c.set(url, "RedrivePolicy", ""))
	c.eventually("there is no policy", func() bool { return c.attributes(url)["RedrivePolicy"] == "" })

	c.send(url, "x")
	for range 3 {
		m := c.receiveOne(url, visibility(60))
		require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 0))
	}
}

func allowPolicy(c *caseRun) {
	deny := c.queue("RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`)
	_, err := c.createQueue(unique("conformance"), "RedrivePolicy", redrive(c.arn(deny), 3))
	c.refused(err, "InvalidParameterValue", "InvalidAttributeValue")

	friend, stranger := c.queue(), c.queue()
	byQueue := c.queue("RedriveAllowPolicy", fmt.Sprintf(`{"redrivePermission":"byQueue","sourceQueueArns":[%q]}`, c.arn(friend)))
	require.NoError(c, c.set(friend, "RedrivePolicy", redrive(c.arn(byQueue), 3)))
	c.refused(c.set(stranger, "RedrivePolicy", redrive(c.arn(byQueue), 3)), "InvalidParameterValue", "InvalidAttributeValue")
}

func listSources(c *caseRun) {
	dead := c.queue()
	policy := redrive(c.arn(dead), 3)
	want := []string{c.queue("RedrivePolicy", policy), c.queue("RedrivePolicy", policy)}
	slices.Sort(want)

	c.eventually("the sources are listed", func() bool {
		out, err := c.sqs.ListDeadLetterSourceQueues(c.ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead})
		require.NoError(c, err)
		slices.Sort(out.QueueUrls)
		return slices.Equal(want, out.QueueUrls)
	})
}
