package sqs

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAMessageIsInvisibleUntilItsTimeoutEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q", j{"VisibilityTimeout": "30"})
		c.send(url, "x")
		sent := time.Now().UnixMilli()
		time.Sleep(time.Second)
		first := c.receive(url)[0]
		require.Equal(t, map[string]string{
			"ApproximateReceiveCount": "1", "SentTimestamp": fmt.Sprint(sent), "ApproximateFirstReceiveTimestamp": fmt.Sprint(sent + 1000), "SenderId": account,
		}, first.Attributes)

		time.Sleep(30*time.Second - time.Millisecond)
		require.Empty(t, c.receive(url))
		time.Sleep(time.Millisecond)
		second := c.receive(url)[0]
		require.Equal(t, "2", second.Attributes["ApproximateReceiveCount"])
		require.Equal(t, first.Attributes["ApproximateFirstReceiveTimestamp"], second.Attributes["ApproximateFirstReceiveTimestamp"])
		require.NotEqual(t, first.ReceiptHandle, second.ReceiptHandle)

		c.remove(url, first) // an old handle succeeds and deletes nothing
		time.Sleep(30 * time.Second)
		third := c.receive(url, j{"VisibilityTimeout": 5})[0]
		time.Sleep(5 * time.Second)
		c.remove(url, third) // the latest handle deletes, in flight or not
		require.Empty(t, c.receive(url))

		c.remove(url, third)
	})
}

func TestVisibilityIsChangedUpToTwelveHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q", nil)
		c.send(url, "x")
		m := c.receive(url)[0]
		change := func(seconds int) j {
			return j{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": seconds}
		}

		c.do("ChangeMessageVisibility", change(43_200))
		time.Sleep(2 * time.Hour)
		c.refuses("InvalidParameterValue", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]", "ChangeMessageVisibility", change(36_001))
		c.do("ChangeMessageVisibility", change(36_000))
		c.refuses("InvalidParameterValue", "", "ChangeMessageVisibility", change(43_201))
		c.refuses("MissingParameter", "", "ChangeMessageVisibility", j{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle})

		time.Sleep(10*time.Hour - time.Millisecond)
		require.Empty(t, c.receive(url))
		time.Sleep(time.Millisecond)
		c.refuses("MessageNotInflight", "", "ChangeMessageVisibility", change(1))

		again := c.receive(url)[0] // the twelve hours are of one receive
		c.do("ChangeMessageVisibility", j{"QueueUrl": url, "ReceiptHandle": again.ReceiptHandle, "VisibilityTimeout": 43_200})
		c.refuses("InvalidParameterValue", "expired", "ChangeMessageVisibility", change(1))
		c.do("ChangeMessageVisibility", j{"QueueUrl": url, "ReceiptHandle": again.ReceiptHandle, "VisibilityTimeout": 0})
		m = c.receive(url)[0]
		c.remove(url, m)
		c.refuses("InvalidParameterValue", "does not exist", "ChangeMessageVisibility", change(1))
		c.refuses("ReceiptHandleIsInvalid", "", "ChangeMessageVisibility", j{"QueueUrl": url, "ReceiptHandle": "x", "VisibilityTimeout": 1})
	})
}

func TestLongPollingAnswersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q", j{"ReceiveMessageWaitTimeSeconds": "20"})
		began := time.Now()
		require.Empty(t, c.receive(url))
		require.Equal(t, 20*time.Second, time.Since(began))
		require.Empty(t, c.receive(url, j{"WaitTimeSeconds": 0}))

		began = time.Now()
		go func() { time.Sleep(3 * time.Second); c.send(url, "sent") }()
		require.Equal(t, "sent", bodies(c.receive(url)))
		require.Equal(t, 3*time.Second, time.Since(began))

		began = time.Now()
		c.send(url, "delayed", j{"DelaySeconds": 7})
		require.Equal(t, "delayed", bodies(c.receive(url)))
		require.Equal(t, 7*time.Second, time.Since(began), "when its delay ends")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.s.receive(ctx, receiveIn{QueueURL: url})
		require.NoError(t, err)
		require.Equal(t, 8*time.Second, time.Since(began), "a client that left")

		go func() { time.Sleep(time.Second); c.do("DeleteQueue", j{"QueueUrl": url}) }()
		c.refuses("NonExistentQueue", "", "ReceiveMessage", j{"QueueUrl": url})
	})
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q", j{"DelaySeconds": "900"})
		c.send(url, "late")
		c.send(url, "sooner", j{"DelaySeconds": 10})
		c.send(url, "now", j{"DelaySeconds": 0})
		c.do("SetQueueAttributes", j{"QueueUrl": url, "Attributes": j{"DelaySeconds": "0"}}) // of later messages only
		require.Equal(t, "now", bodies(c.receive(url)))

		a := c.attributes(url)
		require.Equal(t, "2", a["ApproximateNumberOfMessagesDelayed"])
		require.Equal(t, "1", a["ApproximateNumberOfMessagesNotVisible"])
		time.Sleep(10 * time.Second)
		require.Equal(t, "sooner", bodies(c.receive(url, j{"VisibilityTimeout": 3600})))

		time.Sleep(890*time.Second - time.Millisecond)
		require.NotContains(t, bodies(c.receive(url, j{"VisibilityTimeout": 3600})), "late")
		time.Sleep(time.Millisecond)
		require.Equal(t, "late", bodies(c.receive(url)))

		for _, d := range []int{-1, 901} {
			c.refuses("InvalidParameterValue", "DelaySeconds", "SendMessage", j{"QueueUrl": url, "MessageBody": "x", "DelaySeconds": d})
		}
	})
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q", j{"MessageRetentionPeriod": "60", "VisibilityTimeout": "0"})
		c.send(url, "old")
		time.Sleep(30 * time.Second)
		c.send(url, "new")
		time.Sleep(30*time.Second - time.Millisecond)
		require.Equal(t, "old new", bodies(c.receive(url)))

		time.Sleep(time.Millisecond)
		require.Equal(t, "1", c.attributes(url)["ApproximateNumberOfMessages"])
		require.Equal(t, "new", bodies(c.receive(url)))
		time.Sleep(30 * time.Second)
		require.Empty(t, c.receive(url))
		require.Equal(t, "0", c.attributes(url)["ApproximateNumberOfMessages"])
	})
}

// A standard dead-letter queue keeps the first enqueue time; the receive count
// is of all queues.
func TestDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		dead := c.queue("dead", j{"MessageRetentionPeriod": "120"})
		url := c.queue("q", j{"RedrivePolicy": redriveTo("dead", "2"), "VisibilityTimeout": "10"})
		c.send(url, "x")
		sent := fmt.Sprint(time.Now().UnixMilli())

		for range 2 {
			require.Len(t, c.receive(url), 1)
			require.Empty(t, c.receive(dead))
			time.Sleep(10 * time.Second)
		}
		require.Empty(t, c.receive(url))

		m := c.receive(dead)[0]
		require.Equal(t, "3", m.Attributes["ApproximateReceiveCount"])
		require.Equal(t, sent, m.Attributes["SentTimestamp"])
		require.Equal(t, arn("q"), m.Attributes["DeadLetterQueueSourceArn"])

		time.Sleep(100 * time.Second)
		require.Empty(t, c.receive(dead), "kept for two minutes from the first send")
	})
}

func TestTooManyInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{Limits: true, MaxInFlight: 12})
		url, fifo := c.queue("q", nil), c.queue("q.fifo", j{"ContentBasedDeduplication": "true"})
		for i := range 15 {
			c.send(url, fmt.Sprint(i))
			c.send(fifo, fmt.Sprint(i), j{"MessageGroupId": fmt.Sprint(i)})
		}

		for _, n := range []int{10, 2} {
			require.Len(t, c.receive(url), n)
			require.Len(t, c.receive(fifo), n)
		}
		c.refuses("OverLimit", "", "ReceiveMessage", j{"QueueUrl": url})
		require.Empty(t, c.receive(fifo), "no error on FIFO")

		began := time.Now()
		require.Empty(t, c.receive(url, j{"WaitTimeSeconds": 20, "VisibilityTimeout": 60}))
		require.Equal(t, 20*time.Second, time.Since(began), "long polling has no error")
		time.Sleep(10 * time.Second)
		m := c.receive(url, j{"MaxNumberOfMessages": 10})
		require.Len(t, m, 10, "they timed out")
		require.Len(t, c.receive(url), 2)

		go func() { time.Sleep(2 * time.Second); c.remove(url, m[0]) }()
		began = time.Now()
		require.Len(t, c.receive(url, j{"WaitTimeSeconds": 20}), 1)
		require.Equal(t, 2*time.Second, time.Since(began), "a delete makes room")
	})
}

// The same seed and calls return the same order; another seed another.
func TestReorderAndDuplicateAreRepeatable(t *testing.T) {
	run := func(o Options) string {
		c := memory(t, o)
		url := c.queue("q", nil)
		for i := range 300 {
			c.send(url, fmt.Sprint(i))
		}

		var order []string
		for range 600 {
			for _, m := range c.receive(url, j{"MaxNumberOfMessages": 1}) {
				order = append(order, m.Body)
				c.remove(url, m)
			}
		}
		return strings.Join(order, " ")
	}
	var inOrder []string
	for i := range 300 {
		inOrder = append(inOrder, fmt.Sprint(i))
	}
	require.Equal(t, strings.Join(inOrder, " "), run(Options{Seed: 1}), "the order is kept unless Reorder is set")

	o := Options{Seed: 1, Reorder: 0.2, Duplicate: 0.1}
	first := run(o)
	require.Equal(t, first, run(o))
	require.NotEqual(t, first, run(Options{Seed: 2, Reorder: 0.2, Duplicate: 0.1}))

	count := map[string]int{}
	for _, b := range strings.Fields(first) {
		count[b]++
	}
	require.Len(t, count, 300, "nothing is lost")

	more := 0
	for _, n := range count {
		more += n - 1
	}
	require.InDelta(t, 30, more, 20)
}

func TestFairQueuesAreAccepted(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q", nil)
	for range 2 {
		c.send(url, "x", j{"MessageGroupId": "tenant"})
	}

	m := c.receive(url)
	require.Len(t, m, 2, "a group locks nothing here")
	require.Equal(t, "tenant", m[0].Attributes["MessageGroupId"])
	require.NotContains(t, m[0].Attributes, "SequenceNumber")
	c.refuses("InvalidParameterValue", "MessageDeduplicationId", "SendMessage", j{"QueueUrl": url, "MessageBody": "x", "MessageDeduplicationId": "d"})
}

func TestWhatAReceiveMayAsk(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q", nil)
	for parameter, values := range map[string][]any{
		"MaxNumberOfMessages": {0, 11, -1}, "WaitTimeSeconds": {-1, 21}, "VisibilityTimeout": {-1, 43_201},
	} {
		for _, v := range values {
			c.refuses("InvalidParameterValue", parameter, "ReceiveMessage", j{"QueueUrl": url, parameter: v})
		}
	}

	for _, list := range []string{"AttributeNames", "MessageSystemAttributeNames"} {
		c.refuses("InvalidAttributeName", "Nonsense", "ReceiveMessage", j{"QueueUrl": url, list: []string{"SenderId", "Nonsense"}})
	}
}
