package sqs

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func to(group string) j { return j{"MessageGroupId": group} }

func TestAGroupIsLockedWhileOneIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true"})
		for _, b := range []string{"a1", "b1", "a2", "a3", "b2"} {
			c.send(url, b, to(b[:1]))
		}

		one := j{"MaxNumberOfMessages": 1}
		a1 := c.receive(url, one)
		require.Equal(t, "a1", bodies(a1))
		b := c.receive(url)
		require.Equal(t, "b1 b2", bodies(b), "as many of one group as go together; a is locked")
		require.Empty(t, c.receive(url))

		c.remove(url, b[0])
		require.Empty(t, c.receive(url), "b2 is still in flight")
		c.remove(url, b[1])
		c.remove(url, a1[0])
		out := c.receive(url)
		require.Equal(t, "a2 a3", bodies(out))

		c.do("ChangeMessageVisibility", j{"QueueUrl": url, "ReceiptHandle": out[0].ReceiptHandle, "VisibilityTimeout": 0})
		require.Empty(t, c.receive(url), "a2 is visible again, but a3 is still in flight")
		time.Sleep(30 * time.Second)
		require.Equal(t, "a2 a3", bodies(c.receive(url)), "in order again")
		c.refuses("InvalidParameterValue", "The receipt handle has expired", "DeleteMessage", j{"QueueUrl": url, "ReceiptHandle": out[0].ReceiptHandle})

		time.Sleep(30 * time.Second)
		c.refuses("InvalidParameterValue", "The receipt handle has expired", "DeleteMessage", j{"QueueUrl": url, "ReceiptHandle": out[1].ReceiptHandle})
	})
}

func TestOrderAmongGroupsIsOfTheOldest(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true"})
	for i := range 6 {
		c.send(url, fmt.Sprint(i), to(fmt.Sprint(i%3)))
	}
	require.Equal(t, "0 3 1 4 2 5", bodies(c.receive(url)))
}

func TestDeduplicationEndsAfterFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q.fifo", nil)
		first := c.send(url, "x", to("g"), j{"MessageDeduplicationId": "d"})
		c.remove(url, c.receive(url)[0])
		time.Sleep(5*time.Minute - time.Millisecond)
		again := c.send(url, "y", to("g"), j{"MessageDeduplicationId": "d"})
		require.Equal(t, first["MessageId"], again["MessageId"])
		require.Equal(t, first["SequenceNumber"], again["SequenceNumber"])
		require.Empty(t, c.receive(url), "also after it was deleted")

		time.Sleep(time.Millisecond)
		third := c.send(url, "z", to("g"), j{"MessageDeduplicationId": "d"})
		require.NotEqual(t, first["MessageId"], third["MessageId"])
		require.Greater(t, third["SequenceNumber"], first["SequenceNumber"])

		m := c.receive(url)[0]
		require.Equal(t, "z", m.Body)
		require.Equal(t, "d", m.Attributes["MessageDeduplicationId"])
		require.Equal(t, third["SequenceNumber"], m.Attributes["SequenceNumber"])
		require.Len(t, c.s.queues["q.fifo"].dedup.byKey, 1, "what is over is forgotten")
		require.Len(t, c.s.queues["q.fifo"].dedup.order, 1)
	})
}

func TestDeduplicationByContentByGroupAndInABatch(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
	entry := func(id, group, body string) j {
		return j{"Id": id, "MessageBody": body, "MessageGroupId": group}
	}

	out := c.do("SendMessageBatch", j{"QueueUrl": url, "Entries": []j{entry("1", "g", "x"), entry("2", "g", "x"), entry("3", "h", "x")}})
	ok, _ := out["Successful"].([]any)
	require.Len(t, ok, 3)
	id := func(i int) any { m, _ := ok[i].(j); return m["MessageId"] }
	require.Equal(t, id(0), id(1))
	require.NotEqual(t, id(0), id(2), "another group")

	m := c.receive(url)
	require.Len(t, m, 2)
	require.Equal(t, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", m[0].Attributes["MessageDeduplicationId"], "SHA-256 of the body")
}

func TestFIFOParameters(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q.fifo", nil)
	c.refuses("MissingParameter", "MessageGroupId", "SendMessage", j{"QueueUrl": url, "MessageBody": "x"})
	c.refuses("InvalidParameterValue", "ContentBasedDeduplication", "SendMessage", j{"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g"})
	c.refuses("InvalidParameterValue", "DelaySeconds", "SendMessage", j{"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 1})
	c.refuses("InvalidParameterValue", "MessageGroupId", "SendMessage", j{"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "a b", "MessageDeduplicationId": "d"})
	c.refuses("MissingParameter", "MessageGroupId", "SendMessageBatch", j{"QueueUrl": url, "Entries": []j{{"Id": "1", "MessageBody": "x"}}})
}

// A FIFO queue's delay is the queue's, also of what is in it already.
func TestFIFODelayIsTheQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true", "DelaySeconds": "60"})
		c.send(url, "a1", to("a"))
		c.send(url, "a2", to("a"))
		time.Sleep(time.Second)
		c.send(url, "b1", to("b"))
		require.Empty(t, c.receive(url))
		require.Equal(t, "3", c.attributes(url)["ApproximateNumberOfMessagesDelayed"])

		c.do("SetQueueAttributes", j{"QueueUrl": url, "Attributes": j{"DelaySeconds": "10"}})
		began := time.Now()
		require.Equal(t, "a1 a2", bodies(c.receive(url, j{"WaitTimeSeconds": 20})))
		require.Equal(t, 9*time.Second, time.Since(began))

		c.do("SetQueueAttributes", j{"QueueUrl": url, "Attributes": j{"DelaySeconds": "0"}})
		require.Equal(t, "b1", bodies(c.receive(url)))
	})
}

func TestADeadFIFOMessageLetsItsGroupGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		dead := c.queue("dead.fifo", nil)
		url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true", "RedrivePolicy": redriveTo("dead.fifo", "1")})
		c.send(url, "poison", to("g"))
		c.send(url, "next", to("g"))
		require.Equal(t, "poison", bodies(c.receive(url, j{"MaxNumberOfMessages": 1})))

		time.Sleep(30 * time.Second)
		require.Equal(t, "next", bodies(c.receive(url)))
		m := c.receive(dead)[0]
		require.Equal(t, "poison", m.Body)
		require.Equal(t, fmt.Sprint(time.Now().UnixMilli()), m.Attributes["SentTimestamp"], "a FIFO queue starts the time again")
		require.Equal(t, m.MessageID, m.Attributes["MessageDeduplicationId"])
	})
}

// Whatever is sent, received, given back, deleted or left to time out: of a
// group that is free the first messages come, in order, and of a group that is
// not none.
func TestGroupsByModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ rapid.TB }{t}, func(t *rapid.T) { // a bubble has no Deadline
			c := open(t, Options{})
			url := c.queue("q.fifo", nil)
			type held struct {
				got
				until time.Time
			}

			left, out, sent := map[string][]string{}, map[string]held{}, 0 // bodies by group; in flight by body
			for range rapid.IntRange(1, 60).Draw(t, "steps") {
				for body, h := range out {
					if !h.until.After(time.Now()) {
						delete(out, body)
					}
				}

				switch rapid.IntRange(0, 4).Draw(t, "step") {
				case 0, 1:
					g := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group")
					sent++
					body := fmt.Sprint(g, sent)
					c.send(url, body, to(g), j{"MessageDeduplicationId": body})
					left[g] = append(left[g], body)
				case 2:
					locked := map[string]bool{}

					for body := range out {
						locked[body[:1]] = true
					}
					visibility := rapid.IntRange(1, 3).Draw(t, "visibility")
					messages := c.receive(url, j{"MaxNumberOfMessages": rapid.IntRange(1, 4).Draw(t, "n"), "VisibilityTimeout": visibility})
					next := map[string]int{}

					for _, m := range messages {
						g := m.Body[:1]
						require.False(t, locked[g], "%s of a group that is not free", m.Body)
						require.Equal(t, left[g][next[g]], m.Body, "in order")

						next[g]++
						out[m.Body] = held{m, time.Now().Add(time.Duration(visibility) * time.Second)}
					}
					for g, bodies := range left {
						require.True(t, len(messages) > 0 || locked[g] || len(bodies) == 0, "something was free, and nothing came")
					}
				case 3:
					if len(out) == 0 {
						continue
					}

					body := rapid.SampledFrom(slices.Sorted(maps.Keys(out))).Draw(t, "which")
					if rapid.Bool().Draw(t, "delete") {
						c.remove(url, out[body].got)
						g := body[:1]
						i := slices.Index(left[g], body)
						left[g] = slices.Delete(left[g], i, i+1)
					} else {
						c.do("ChangeMessageVisibility", j{"QueueUrl": url, "ReceiptHandle": out[body].ReceiptHandle, "VisibilityTimeout": 0})
					}

					delete(out, body)
				case 4:
					time.Sleep(time.Duration(rapid.IntRange(1, 2500).Draw(t, "ms")) * time.Millisecond)
				}
				sound(t, c.s.queues["q.fifo"])
			}
			require.NoError(t, c.s.Close())
		})
	})
}
