package sqs

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// restarted closes a service and opens its journal again.
func restarted(t *testing.T, c client) client {
	t.Helper()
	require.NoError(t, c.s.Close())
	return open(t, c.s.o)
}

func TestAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "j")
		c := open(t, Options{Path: path})
		url, fifo := c.queue("q", j{"VisibilityTimeout": "60"}), c.queue("f.fifo", j{"ContentBasedDeduplication": "true"})
		c.send(url, "late", j{"DelaySeconds": 60})
		c.send(url, "x")
		c.send(fifo, "1", to("g"))
		first := c.send(fifo, "2", to("g"))
		x, ones := c.receive(url)[0], c.receive(fifo)

		c.queue("gone", nil)
		c.do("DeleteQueue", j{"QueueUrl": "/gone"})
		restart := func() {
			time.Sleep(time.Second)
			require.NoError(t, c.s.Close())

			c = open(t, Options{Path: path})
		}
		restart()
		c.refuses("QueueDeletedRecently", "", "CreateQueue", j{"QueueName": "gone"})

		again := c.receive(url)
		require.Equal(t, "x", bodies(again), "what was in flight is visible; what is delayed stays so")
		require.Equal(t, "1", again[0].Attributes["ApproximateReceiveCount"])
		c.remove(url, x)
		require.Equal(t, 2, c.s.queues["q"].arrived.Len(), "it was received since")

		c.remove(fifo, ones[0])
		require.Equal(t, "2", bodies(c.receive(fifo)), "a handle from before deletes what was not received since")
		require.Equal(t, first["SequenceNumber"], c.send(fifo, "2", to("g"))["SequenceNumber"], "still a repeat")
		require.Greater(t, c.send(fifo, "3", to("g"))["SequenceNumber"], first["SequenceNumber"])

		restart()
		time.Sleep(time.Minute)
		require.Equal(t, "late x", bodies(c.receive(url)))
		require.NoError(t, c.s.Close())
	})
}

func TestAMoveTaskGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "j")
		c := open(t, Options{Path: path})
		url, _ := c.dead(30)
		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 10})
		time.Sleep(time.Second)
		require.NoError(t, c.s.Close())

		c = open(t, Options{Path: path})
		require.Equal(t, "RUNNING", c.task("dead")["Status"])
		require.InDelta(t, 11., c.task("dead")["ApproximateNumberOfMessagesMoved"], 2)
		time.Sleep(3 * time.Second)
		require.Equal(t, "COMPLETED", c.task("dead")["Status"])
		require.InDelta(t, 30., c.task("dead")["ApproximateNumberOfMessagesMoved"], 0)
		require.Equal(t, "30", c.attributes(url)["ApproximateNumberOfMessages"])
		require.NoError(t, c.s.Close())
	})
}

func TestACancelledMoveStaysCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, Options{Path: filepath.Join(t.TempDir(), "j")})
		c.dead(30)
		handle := c.do("StartMessageMoveTask", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 1})["TaskHandle"]
		synctest.Wait()
		c.s.closing <- struct{}{} // the task stops, as if the process had
		c.do("CancelMessageMoveTask", j{"TaskHandle": handle})
		c = restarted(t, c)
		time.Sleep(time.Minute)
		require.Equal(t, "CANCELLED", c.task("dead")["Status"])
		require.NotEqual(t, "0", c.attributes("/dead")["ApproximateNumberOfMessages"])
		require.NoError(t, c.s.Close())
	})
}

func TestALongerRetentionBringsNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, Options{Path: filepath.Join(t.TempDir(), "j")})
		url := c.queue("q", j{"MessageRetentionPeriod": "60"})
		c.send(url, "old")
		time.Sleep(time.Minute)
		require.Empty(t, c.receive(url))

		c.do("SetQueueAttributes", j{"QueueUrl": url, "Attributes": j{"MessageRetentionPeriod": "1209600"}})
		c = restarted(t, c)
		require.Empty(t, c.receive(url))
		require.NoError(t, c.s.Close())
	})
}

func TestAPurgeTakesWhatMightComeTwice(t *testing.T) {
	c := memory(t, Options{Duplicate: 1})
	url := c.queue("q", nil)
	c.send(url, "x")
	c.remove(url, c.receive(url)[0])
	c.do("PurgeQueue", j{"QueueUrl": url})

	for range 100 {
		require.Empty(t, c.receive(url))
	}
}

// What a client does again and again takes no more memory each time.
func TestWhatIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		fifo := c.queue("q.fifo", j{"ContentBasedDeduplication": "true"})
		for i := range 100 {
			c.send(fifo, fmt.Sprint(i), to("g"))
			c.remove(fifo, c.receive(fifo)[0])
			c.queue(fmt.Sprint("source", i), j{"RedrivePolicy": redriveTo(c.deadLetters(i), "1")})
			c.do("StartMessageMoveTask", j{"SourceArn": arn(fmt.Sprint("dead", i))})
			time.Sleep(10 * time.Second)

			for _, name := range []string{"dead", "source"} {
				c.do("DeleteQueue", j{"QueueUrl": fmt.Sprint("/", name, i)})
			}
		}
		require.Less(t, len(c.s.queues["q.fifo"].dedup.order), 40, "of the last five minutes")
		require.Less(t, len(c.s.deleted), 20, "of the last minute")
		require.Less(t, len(c.s.tasks), 3, "of queues that are there")
	})
}

// deadLetters creates a queue whose name is dead and a number, and returns the name.
func (c client) deadLetters(i int) string {
	name := fmt.Sprint("dead", i)
	c.queue(name, nil)
	return name
}
