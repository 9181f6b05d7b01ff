package conformance

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

// pairs returns a map of key, value, key, value.
func pairs(kv ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		out[kv[i]] = kv[i+1]
	}
	return out
}

// queue creates a queue with the attributes; FifoQueue names it accordingly.
func (c *caseRun) queue(attributes ...string) (url string) {
	name := unique("conformance")
	if pairs(attributes...)["FifoQueue"] == "true" {
		name += ".fifo"
	}
	return c.queueNamed(name, attributes...)
}

func (c *caseRun) queueNamed(name string, attributes ...string) (url string) {
	out, err := c.createQueue(name, attributes...)
	require.NoError(c, err)
	return out
}

// createQueue may fail; what it creates is deleted after the case.
func (c *caseRun) createQueue(name string, attributes ...string) (url string, err error) {
	out, err := c.sqs.CreateQueue(c.ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: pairs(attributes...)})
	if err != nil {
		return "", err
	}
	c.cleanup(func(ctx context.Context) {
		_, _ = c.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
	})

	return *out.QueueUrl, nil
}

func (c *caseRun) set(url string, attributes ...string) error {
	_, err := c.sqs.SetQueueAttributes(c.ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: pairs(attributes...)})
	return err
}

func (c *caseRun) attributes(url string, names ...types.QueueAttributeName) map[string]string {
	if len(names) == 0 {
		names = []types.QueueAttributeName{"All"}
	}
	out, err := c.sqs.GetQueueAttributes(c.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	require.NoError(c, err)

	return out.Attributes
}

func (c *caseRun) arn(url string) string { return c.attributes(url, "QueueArn")["QueueArn"] }

type sendOption func(*sqs.SendMessageInput)

func (c *caseRun) send(url, body string, change ...sendOption) *sqs.SendMessageOutput {
	out, err := c.trySend(url, body, change...)
	require.NoError(c, err)
	return out
}

func (c *caseRun) trySend(url, body string, change ...sendOption) (*sqs.SendMessageOutput, error) {
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
	for _, f := range change {
		f(in)
	}
	return c.sqs.SendMessage(c.ctx, in)
}

// toGroup sends to a group, with a deduplication id where one is given.
func toGroup(group string, deduplication ...string) sendOption {
	return func(in *sqs.SendMessageInput) {
		in.MessageGroupId = &group
		if len(deduplication) > 0 {
			in.MessageDeduplicationId = &deduplication[0]
		}
	}
}

func delayed(seconds int32) sendOption {
	return func(in *sqs.SendMessageInput) { in.DelaySeconds = seconds }
}

type receiveOption func(*sqs.ReceiveMessageInput)

func visibility(seconds int32) receiveOption {
	return func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = seconds }
}

func atMost(n int32) receiveOption {
	return func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = n }
}

// receive is one call that waits up to wait seconds, for up to ten messages
// with all their attributes.
func (c *caseRun) receive(url string, wait int32, change ...receiveOption) []types.Message {
	out, err := c.tryReceive(url, wait, change...)
	require.NoError(c, err)
	return out
}

func (c *caseRun) tryReceive(url string, wait int32, change ...receiveOption) ([]types.Message, error) {
	in := &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
	}
	for _, f := range change {
		f(in)
	}

	out, err := c.sqs.ReceiveMessage(c.ctx, in)
	if err != nil {
		return nil, err
	}

	return out.Messages, nil
}

// collect receives until there are n, in one call or in several: a standard
// queue may return fewer than it has.
func (c *caseRun) collect(url string, n int, change ...receiveOption) (got []types.Message) {
	for end := time.Now().Add(c.maxWait()); len(got) < n; {
		require.True(c, time.Now().Before(end), "%d of %d messages came within %v", len(got), n, c.maxWait())
		got = append(got, c.receive(url, 2, change...)...)
	}

	require.Len(c, got, n)
	return got
}

// receiveOne returns the next message, which must come.
func (c *caseRun) receiveOne(url string, change ...receiveOption) types.Message {
	return c.collect(url, 1, append(change, atMost(1))...)[0]
}

// receivesNone requires that no message comes within wait seconds.
func (c *caseRun) receivesNone(url string, wait int32, why string) {
	require.Empty(c, bodies(c.receive(url, wait)), why)
}

func bodies(messages []types.Message) (out []string) {
	for _, m := range messages {
		out = append(out, *m.Body)
	}
	return out
}

func (c *caseRun) delete(url string, messages ...types.Message) {
	for _, m := range messages {
		require.NoError(c, c.tryDelete(url, *m.ReceiptHandle))
	}
}

func (c *caseRun) tryDelete(url, handle string) error {
	_, err := c.sqs.DeleteMessage(c.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &handle})
	return err
}

func (c *caseRun) changeVisibility(url, handle string, seconds int32) error {
	_, err := c.sqs.ChangeMessageVisibility(c.ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: &handle, VisibilityTimeout: seconds})
	return err
}

// awaitCounts waits until the queue's approximate counts are these.
func (c *caseRun) awaitCounts(url string, visible, inFlight, delayed string) {
	want := [3]string{visible, inFlight, delayed}
	var got [3]string
	c.eventually("visible, in flight, delayed are "+strings.Join(want[:], ", "), func() bool {
		a := c.attributes(url)
		got = [3]string{a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"], a["ApproximateNumberOfMessagesDelayed"]}
		return got == want
	})
}
