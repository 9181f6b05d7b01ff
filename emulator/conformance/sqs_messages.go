package conformance

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func messageCases() []testCase {
	return []testCase{
		promise("send, receive, delete", sqsAPI+"API_ReceiveMessage.html",
			"A message comes with the id that the send answered, its body and the body's MD5, and is invisible to others while it is in flight.", sendReceiveDelete),
		promise("a message is deleted by its handle, and again", sqsAPI+"API_DeleteMessage.html",
			"Deletes the message of the receipt handle; the request also succeeds for a message that is gone.", deleteTwice),
		promise("a receive returns one message unless it asks for more", sqsAPI+"API_ReceiveMessage.html",
			"MaxNumberOfMessages: 1 to 10, default 1; never more are returned.", oneByDefault),
		promise("long polling answers as soon as a message arrives", sqsGuide+"sqs-short-and-long-polling.html",
			"If a message is available, the call returns sooner than WaitTimeSeconds.", longPollWakes),
		promise("long polling ends empty after its time", sqsAPI+"API_ReceiveMessage.html",
			"If no messages are available and the wait time expires, the call does not return a message list.", longPollEnds),
		promise("a queue's own waiting time is the default", sqsAPI+"API_SetQueueAttributes.html",
			"ReceiveMessageWaitTimeSeconds is how long a ReceiveMessage action waits for a message to arrive.", queueWaits),
		promise("a delay hides a message", sqsGuide+"sqs-message-timers.html",
			"A message with DelaySeconds becomes available when the delay is over.", delayHides),
		promise("a queue's delay hides every message", sqsGuide+"sqs-delay-queues.html",
			"A delay queue hides each message for the queue's DelaySeconds when it is first added; a message's own timer wins.", queueDelays),
		promise("a message has up to 1 MiB", sqsAPI+"API_SendMessage.html",
			"The maximum size is 1 MiB or 1,048,576 bytes.", mebibyte),
		promise("attributes count towards a message's size", sqsGuide+"sqs-message-metadata.html",
			"Each attribute's name, type and value count towards the size of the message.", attributesCount),
		promise("a body holds the characters that XML allows", sqsAPI+"API_SendMessage.html",
			"#x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF are allowed.", allowedCharacters),
		promise("a queue's own maximum is kept", sqsAPI+"API_SetQueueAttributes.html",
			"MaximumMessageSize is how many bytes a message can contain before SQS rejects it.", queueMaximum),
		promise("120,000 messages are in flight at most", sqsGuide+"quotas-messages.html",
			"About 120,000 messages of a standard queue can be in flight; over it short polling gets OverLimit, long polling gets nothing.", inFlightLimit, needsLimits, slow),
		promise("a message is gone after its retention", sqsAPI+"API_CreateQueue.html",
			"MessageRetentionPeriod is how long SQS retains a message, 60 seconds at least.", retentionEnds, slow),
	}
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

func sendReceiveDelete(c *caseRun) {
	url := c.queue()
	sent := c.send(url, "hello – ∑ 🚕")
	require.Equal(c, md5Hex([]byte("hello – ∑ 🚕")), *sent.MD5OfMessageBody)

	m := c.receiveOne(url)
	require.Equal(c, "hello – ∑ 🚕", *m.Body)
	require.Equal(c, *sent.MessageId, *m.MessageId)
	require.Equal(c, *sent.MD5OfMessageBody, *m.MD5OfBody)
	c.receivesNone(url, 0, "it is in flight")

	c.delete(url, m)
	c.awaitCounts(url, "0", "0", "0")
}

func deleteTwice(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	m := c.receiveOne(url, visibility(60))
	c.delete(url, m)
	c.delete(url, m)
}

func oneByDefault(c *caseRun) {
	url := c.queue()
	for i := range 3 {
		c.send(url, fmt.Sprint(i))
	}
	c.awaitCounts(url, "3", "0", "0")

	// 0 is left out of the request.
	require.LessOrEqual(c, len(c.receive(url, 2, atMost(0))), 1)
	require.LessOrEqual(c, len(c.receive(url, 2, atMost(2))), 2)
}

func longPollWakes(c *caseRun) {
	url := c.queue()
	answer := make(chan time.Time, 1)
	go func() {
		out, err := c.sqs.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		if err == nil && len(out.Messages) == 1 {
			answer <- time.Now()
		}
		close(answer)
	}()

	// The receive must be waiting before the message is sent.
	c.pause(time.Second)
	c.send(url, "now")
	sent := time.Now()

	came, ok := <-answer
	require.True(c, ok, "the waiting call gets the message")
	require.Less(c, came.Sub(sent), 5*time.Second)
}

func longPollEnds(c *caseRun) {
	url := c.queue()
	began := time.Now()
	require.Empty(c, c.receive(url, 2))
	require.Greater(c, time.Since(began), 1500*time.Millisecond)
	require.Less(c, time.Since(began), 10*time.Second)
}

func queueWaits(c *caseRun) {
	url := c.queue("ReceiveMessageWaitTimeSeconds", "2")
	began := time.Now()
	require.Empty(c, c.receive(url, 0)) // 0 is left out of the request
	require.Greater(c, time.Since(began), 1500*time.Millisecond)
}

func delayHides(c *caseRun) {
	url := c.queue()
	sent := time.Now()
	c.send(url, "later", delayed(2))
	c.receivesNone(url, 0, "it is delayed")

	c.receiveOne(url)
	require.GreaterOrEqual(c, time.Since(sent), 1900*time.Millisecond)
}

func queueDelays(c *caseRun) {
	url := c.queue("DelaySeconds", "4")
	sent := time.Now()
	c.send(url, "later")
	c.send(url, "sooner", delayed(1))
	require.Equal(c, "sooner", *c.receiveOne(url).Body, "a message's own timer wins")
	require.Equal(c, "later", *c.receiveOne(url).Body)
	require.GreaterOrEqual(c, time.Since(sent), 3900*time.Millisecond)
}

func mebibyte(c *caseRun) {
	url := c.queue()
	whole := strings.Repeat("x", 1<<20)
	c.send(url, whole)
	require.Len(c, *c.receiveOne(url).Body, 1<<20)
}

func attributesCount(c *caseRun) {
	url := c.queue("MaximumMessageSize", "1024")

	// name 4, type 6, value 14: 24 bytes beside the body.
	attribute := func(in *sqs.SendMessageInput) {
		in.MessageAttributes = map[string]types.MessageAttributeValue{"name": {DataType: ptr("String"), StringValue: ptr("fourteen bytes")}}
	}

	c.send(url, strings.Repeat("x", 1000), attribute)
	_, err := c.trySend(url, strings.Repeat("x", 1001), attribute)
	c.refused(err, "InvalidParameterValue")
}

func allowedCharacters(c *caseRun) {
	url := c.queue()
	c.send(url, "tab\tline\nreturn\r\uD7FF\uE000\uFFFD\U00010000\U0010FFFF")
	require.Equal(c, "tab\tline\nreturn\r\uD7FF\uE000\uFFFD\U00010000\U0010FFFF", *c.receiveOne(url).Body)
}

func queueMaximum(c *caseRun) {
	url := c.queue("MaximumMessageSize", "1024")
	c.send(url, strings.Repeat("x", 1024))
	_, err := c.trySend(url, strings.Repeat("x", 1025))
	c.refused(err, "InvalidParameterValue")
}

func retentionEnds(c *caseRun) {
	url := c.queue("MessageRetentionPeriod", "60")
	c.send(url, "forgotten")
	c.awaitCounts(url, "1", "0", "0")
	// 60 seconds and a margin.
	c.pause(75 * time.Second)
	c.receivesNone(url, 5, "its retention is over")
}

func inFlightLimit(c *caseRun) {
	url := c.queue("VisibilityTimeout", "3600")
	const limit, more, senders = 120_000, 1_000, 16
	var each errgroup.Group

	for range senders {
		each.Go(func() error {
			for range (limit + more) / 10 / senders {
				if _, err := c.sendBatch(url, entries(10, "m")); err != nil {
					return err
				}
			}

			return nil
		})
	}
	require.NoError(c, each.Wait())

	var taken atomic.Int64
	for range senders {
		each.Go(func() error {
			for {
				out, err := c.sqs.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
				if err != nil {
					return err
				}
				// Stops at the limit or a little above it, for an endpoint that
				// has none.
				if taken.Add(int64(len(out.Messages))) > limit+100 || len(out.Messages) == 0 && taken.Load() >= limit {
					return nil
				}
			}
		})
	}

	c.refused(each.Wait(), "OverLimit")
	require.InDelta(c, limit, taken.Load(), limit/100)
	c.receivesNone(url, 1, "long polling gets nothing")
}
