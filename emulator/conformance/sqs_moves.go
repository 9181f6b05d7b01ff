package conformance

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

func moveCases() []testCase {
	start, guide := sqsAPI+"API_StartMessageMoveTask.html", sqsGuide+"sqs-configure-dead-letter-queue-redrive.html"
	return []testCase{
		promise("dead-lettered messages move back to where they came from", start,
			"Without DestinationArn the messages are redriven back to their respective original source queues.", moveBack),
		promise("a moved message is a new message", guide,
			"All redriven messages are considered new messages with a new messageID and enqueueTime.", movedIsNew),
		promise("dead-lettered messages move to a queue that is named", start,
			"DestinationArn: the queue that receives the moved messages.", moveElsewhere),
		promise("what was sent straight to a dead-letter queue has no way back", guide,
			"Messages go back to their source queue; one that was sent straight to the dead-letter queue has none, the task fails.", moveNowhere),
		promise("only a dead-letter queue's messages move", start,
			"SourceArn: only ARNs of dead-letter queues whose sources are other SQS queues are accepted.", moveFromNoDLQ),
		promise("one move at a time, as slow as asked, and it can be cancelled", start,
			"Only one active message movement task is supported per queue at any given time.", moveSlowly),
		promise("moves are listed, the latest first", sqsAPI+"API_ListMessageMoveTasks.html",
			"Gets the most recent message movement tasks (up to 10); the default is 1.", listMoves),
	}
}

func (c *caseRun) startMove(source, destination string, perSecond int32) (handle string, err error) {
	in := &sqs.StartMessageMoveTaskInput{SourceArn: ptr(c.arn(source))}
	if destination != "" {
		in.DestinationArn = ptr(c.arn(destination))
	}
	if perSecond > 0 {
		in.MaxNumberOfMessagesPerSecond = &perSecond
	}

	out, err := c.sqs.StartMessageMoveTask(c.ctx, in)
	if err != nil {
		return "", err
	}
	return *out.TaskHandle, nil
}

func (c *caseRun) moves(source string, most int32) []types.ListMessageMoveTasksResultEntry {
	out, err := c.sqs.ListMessageMoveTasks(c.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: ptr(c.arn(source)), MaxResults: &most})
	require.NoError(c, err)
	return out.Results
}

// awaitMove waits until the source's latest move has ended like this.
func (c *caseRun) awaitMove(source, status string) types.ListMessageMoveTasksResultEntry {
	var last types.ListMessageMoveTasksResultEntry
	c.eventually("the move is "+status, func() bool {
		tasks := c.moves(source, 1)
		require.Len(c, tasks, 1)
		last = tasks[0]
		return last.Status != nil && *last.Status == status
	})

	return last
}

func moveBack(c *caseRun) {
	url, dead := c.withDeadLetterQueue()
	other := c.queue("RedrivePolicy", redrive(c.arn(dead), 1))
	c.send(url, "one")
	c.deadLetter(url, dead, 1)

	// A second source, since each message must find its own way back.
	c.send(other, "other")
	m := c.receiveOne(other, visibility(60))
	require.NoError(c, c.changeVisibility(other, *m.ReceiptHandle, 0))
	c.eventually("both are dead-lettered", func() bool {
		require.Empty(c, bodies(c.receive(other, 0)))
		return c.attributes(dead)["ApproximateNumberOfMessages"] == "2"
	})

	handle, err := c.startMove(dead, "", 0)
	require.NoError(c, err)
	require.NotEmpty(c, handle)
	require.Equal(c, "one", *c.receiveOne(url).Body)
	require.Equal(c, "other", *c.receiveOne(other).Body)

	last := c.awaitMove(dead, "COMPLETED")
	require.EqualValues(c, 2, last.ApproximateNumberOfMessagesMoved)
	require.Equal(c, c.arn(dead), *last.SourceArn)
	c.awaitCounts(dead, "0", "0", "0")
}

func movedIsNew(c *caseRun) {
	url, dead := c.withDeadLetterQueue()
	sent := c.send(url, "x", withAttributes(someAttributes()))
	c.deadLetter(url, dead, 1)

	_, err := c.startMove(dead, "", 0)
	require.NoError(c, err)

	m := c.receiveOne(url)
	require.Equal(c, "1", m.Attributes["ApproximateReceiveCount"], "it may be tried again")
	require.Len(c, m.MessageAttributes, 5)
	require.NotEqual(c, *sent.MessageId, *m.MessageId)
}

func moveElsewhere(c *caseRun) {
	url, dead := c.withDeadLetterQueue()
	elsewhere := c.queue()
	c.send(url, "redriven")
	c.deadLetter(url, dead, 1)
	c.send(dead, "sent straight")

	_, err := c.startMove(dead, elsewhere, 0)
	require.NoError(c, err)
	require.ElementsMatch(c, []string{"redriven", "sent straight"}, bodies(c.collect(elsewhere, 2)))
	require.Equal(c, c.arn(elsewhere), *c.awaitMove(dead, "COMPLETED").DestinationArn)
}

func moveNowhere(c *caseRun) {
	_, dead := c.withDeadLetterQueue()
	c.send(dead, "sent straight")
	_, err := c.startMove(dead, "", 0)
	require.NoError(c, err)
	require.NotEmpty(c, *c.awaitMove(dead, "FAILED").FailureReason)
	require.Equal(c, "sent straight", *c.receiveOne(dead).Body, "it stays")
}

func moveFromNoDLQ(c *caseRun) {
	_, err := c.startMove(c.queue(), "", 0)
	c.refused(err, "InvalidParameterValue", "UnsupportedOperation", "ResourceNotFoundException")
}

func moveSlowly(c *caseRun) {
	url, dead := c.withDeadLetterQueue()
	const n = 20
	for i := range n {
		c.send(url, fmt.Sprint(i))
	}
	c.deadLetter(url, dead, n)

	// One message a second: slow enough to be seen running, and to be
	// cancelled.
	handle, err := c.startMove(dead, "", 1)
	require.NoError(c, err)
	c.eventually("it has begun", func() bool { return c.moves(dead, 1)[0].ApproximateNumberOfMessagesMoved > 0 })

	running := c.moves(dead, 1)[0]
	require.Equal(c, "RUNNING", *running.Status)
	require.Equal(c, handle, *running.TaskHandle)
	require.EqualValues(c, 1, *running.MaxNumberOfMessagesPerSecond)

	_, err = c.startMove(dead, "", 0)
	require.Error(c, err, "one at a time")
	c.refused(err, "InvalidParameterValue", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation")

	out, err := c.sqs.CancelMessageMoveTask(c.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
	require.NoError(c, err)
	require.Less(c, out.ApproximateNumberOfMessagesMoved, int64(n))

	last := c.awaitMove(dead, "CANCELLED")
	require.Nil(c, last.TaskHandle, "only a running task shows its handle")

	left := c.attributes(dead)["ApproximateNumberOfMessages"]
	require.NotEqual(c, "0", left, "what was not moved stays")
}

func listMoves(c *caseRun) {
	url, dead := c.withDeadLetterQueue()
	elsewhere := c.queue()
	require.Empty(c, c.moves(dead, 10))

	for i, to := range []string{"", elsewhere} {
		c.send(url, fmt.Sprint(i))
		c.deadLetter(url, dead, 1)
		_, err := c.startMove(dead, to, 0)
		require.NoError(c, err)
		c.awaitMove(dead, "COMPLETED")
		if to == "" {
			c.delete(url, c.receiveOne(url))
		}
	}

	tasks := c.moves(dead, 10)
	require.Len(c, tasks, 2)
	require.NotNil(c, tasks[0].DestinationArn, "the latest is first")
	require.Nil(c, tasks[1].DestinationArn)
	require.Positive(c, tasks[0].StartedTimestamp)
}
