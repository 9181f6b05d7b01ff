package sqs

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// dead creates a queue whose n messages have moved to its dead-letter queue.
func (c client) dead(n int) (url, dead string) {
	dead = c.queue("dead", nil)
	url = c.queue("q", j{"RedrivePolicy": redriveTo("dead", "1"), "VisibilityTimeout": "0"})
	for i := range n {
		c.send(url, fmt.Sprint(i))
	}

	for len(c.receive(url)) > 0 {
	}
	require.Equal(c.t, fmt.Sprint(n), c.attributes(dead)["ApproximateNumberOfMessages"])
	return url, dead
}

func (c client) task(source string) j {
	results, _ := c.do("ListMessageMoveTasks", j{"SourceArn": arn(source)})["Results"].([]any)
	require.NotEmpty(c.t, results)
	out, _ := results[0].(j)
	return out
}

func TestRedriveGoesWhereEachCameFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url, dead := c.dead(250)
		started := time.Now().UnixMilli()
		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead")})
		time.Sleep(time.Second)
		require.Equal(t, j{"Status": "COMPLETED", "SourceArn": arn("dead"), "ApproximateNumberOfMessagesMoved": 250., "ApproximateNumberOfMessagesToMove": 250., "StartedTimestamp": float64(started)}, c.task("dead"))
		require.Equal(t, "250", c.attributes(url)["ApproximateNumberOfMessages"])
		require.Equal(t, "0", c.attributes(dead)["ApproximateNumberOfMessages"])

		m := c.receive(url)[0]
		require.Equal(t, "1", m.Attributes["ApproximateReceiveCount"], "a new message")
		require.NotContains(t, m.Attributes, "DeadLetterQueueSourceArn")
	})
}

func TestRedriveKeepsItsRateAndIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url, _ := c.dead(100)
		handle := c.do("StartMessageMoveTask", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 5})["TaskHandle"]
		c.refuses("InvalidParameterValue", "Only one active task", "StartMessageMoveTask", j{"SourceArn": arn("dead")})

		time.Sleep(4*time.Second + moveTick/2) // not when it moves one
		moved := c.task("dead")["ApproximateNumberOfMessagesMoved"]
		require.InDelta(t, 20., moved, 1)
		require.Equal(t, handle, c.task("dead")["TaskHandle"])
		require.InDelta(t, 5., c.task("dead")["MaxNumberOfMessagesPerSecond"], 0)
		require.Equal(t, j{"ApproximateNumberOfMessagesMoved": moved}, c.do("CancelMessageMoveTask", j{"TaskHandle": handle}))

		synctest.Wait()
		require.Equal(t, "CANCELLED", c.task("dead")["Status"])
		time.Sleep(time.Minute)
		require.Equal(t, fmt.Sprint(moved), c.attributes(url)["ApproximateNumberOfMessages"], "what was moved stays moved")
		c.refuses("InvalidParameterValue", "", "CancelMessageMoveTask", j{"TaskHandle": handle})
		c.refuses("ResourceNotFoundException", "", "CancelMessageMoveTask", j{"TaskHandle": "x"})

		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 500})
		time.Sleep(time.Second)
		require.Equal(t, "COMPLETED", c.task("dead")["Status"])
		all, _ := c.do("ListMessageMoveTasks", j{"SourceArn": arn("dead"), "MaxResults": 10})["Results"].([]any)
		require.Len(t, all, 2)
	})
}

func TestADeadLetterOfNoSourceNeedsADestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		_, dead := c.dead(0)
		c.send(dead, "by hand")
		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead")})
		time.Sleep(time.Second)
		require.Equal(t, "FAILED", c.task("dead")["Status"])
		require.Equal(t, "CouldNotDetermineMessageSource", c.task("dead")["FailureReason"])

		other := c.queue("other", nil)
		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead"), "DestinationArn": arn("other")})
		time.Sleep(time.Second)
		require.Equal(t, "COMPLETED", c.task("dead")["Status"])
		require.Equal(t, "by hand", bodies(c.receive(other)))
	})
}

// What comes to the dead-letter queue while a task runs, and what is in flight
// there, is not its own to move.
func TestRedriveLeavesWhatIsNotItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url, dead := c.dead(3)
		require.Equal(t, "0", bodies(c.receive(dead, j{"MaxNumberOfMessages": 1, "VisibilityTimeout": 3600})))

		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 1})
		time.Sleep(100 * time.Millisecond)
		for len(c.receive(url)) > 0 { // it dies again
		}

		time.Sleep(10 * time.Second)
		require.Equal(t, "COMPLETED", c.task("dead")["Status"])
		require.InDelta(t, 2., c.task("dead")["ApproximateNumberOfMessagesMoved"], 0)
		require.Equal(t, "1", bodies(c.receive(dead)))
		require.Equal(t, "2", bodies(c.receive(url)))
	})
}

// What is sent straight to the dead-letter queue while a task runs has no source to
// go back to, and is not its own to fail on.
func TestRedriveDoesNotFailOnWhatIsNotItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url, dead := c.dead(2)
		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 1})
		c.send(dead, "by hand")

		time.Sleep(10 * time.Second)
		require.Equal(t, "COMPLETED", c.task("dead")["Status"])
		require.Nil(t, c.task("dead")["FailureReason"])
		require.Equal(t, "2", c.attributes(url)["ApproximateNumberOfMessages"])
		require.Equal(t, "by hand", bodies(c.receive(dead)))
	})
}

func TestRedriveOfAFIFOQueueKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		c.queue("dead.fifo", nil)
		url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true", "RedrivePolicy": redriveTo("dead.fifo", "1"), "VisibilityTimeout": "0"})

		for _, b := range []string{"1", "2", "3"} {
			c.send(url, b, to("g"))
		}
		require.Len(t, c.receive(url), 3)
		require.Empty(t, c.receive(url))

		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead.fifo")})
		time.Sleep(time.Second)
		require.Equal(t, "1 2 3", bodies(c.receive(url)))
	})
}

func TestWhatCannotBeMoved(t *testing.T) {
	c := memory(t, Options{})
	c.dead(0)
	c.queue("f.fifo", nil)
	for _, tc := range []struct {
		code, text string
		in         j
	}{
		{"ResourceNotFoundException", "SourceArn", j{"SourceArn": arn("none")}},
		{"ResourceNotFoundException", "DestinationArn", j{"SourceArn": arn("dead"), "DestinationArn": arn("none")}},
		{"InvalidParameterValue", "Dead Letter Queue", j{"SourceArn": arn("q")}},
		{"InvalidParameterValue", "MaxNumberOfMessagesPerSecond", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 501}},
		{"InvalidParameterValue", "MaxNumberOfMessagesPerSecond", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 0}},
		{"InvalidParameterValue", "DestinationArn", j{"SourceArn": arn("dead"), "DestinationArn": arn("dead")}},
		{"InvalidParameterValue", "DestinationArn", j{"SourceArn": arn("dead"), "DestinationArn": arn("f.fifo")}},
	} {
		c.refuses(tc.code, tc.text, "StartMessageMoveTask", tc.in)
	}
	c.refuses("ResourceNotFoundException", "SourceArn", "ListMessageMoveTasks", j{"SourceArn": arn("none")})
	c.refuses("InvalidParameterValue", "MaxResults", "ListMessageMoveTasks", j{"SourceArn": arn("dead"), "MaxResults": 11})
}
