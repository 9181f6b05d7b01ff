package conformance

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

func batchCases() []testCase {
	page := sqsAPI + "API_SendMessageBatch.html"
	return []testCase{
		promise("a batch answers each of its entries", page,
			"Up to ten messages; the result of each is reported by itself, with its id.", batchAnswersEach),
		promise("a batch fails in part", page,
			"A batch can be a mix of successes and failures, also with status 200.", batchInPart),
		promise("deletes in batches, each entry by itself", sqsAPI+"API_DeleteMessageBatch.html",
			"The result of the action on each message is reported individually.", deleteBatch),
	}
}

func entries(n int, body string) (out []types.SendMessageBatchRequestEntry) {
	for i := range n {
		out = append(out, types.SendMessageBatchRequestEntry{Id: ptr(fmt.Sprint("id", i)), MessageBody: ptr(body)})
	}
	return out
}

func (c *caseRun) sendBatch(url string, e []types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
	return c.sqs.SendMessageBatch(c.ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: e})
}

func batchAnswersEach(c *caseRun) {
	url := c.queue()
	batch := entries(10, "m")
	batch[3].MessageAttributes = someAttributes()

	out, err := c.sendBatch(url, batch)
	require.NoError(c, err)
	require.Empty(c, out.Failed)

	ids, messages := map[string]bool{}, map[string]bool{}
	for _, s := range out.Successful {
		ids[*s.Id], messages[*s.MessageId] = true, true
		require.Equal(c, md5Hex([]byte("m")), *s.MD5OfMessageBody)
		if *s.Id == "id3" {
			require.Equal(c, digest(someAttributes()), *s.MD5OfMessageAttributes)
		}
	}

	require.Len(c, ids, 10)
	require.Len(c, messages, 10)
	c.collect(url, 10)
}

func batchInPart(c *caseRun) {
	url := c.queue()
	batch := entries(3, "m")
	batch[1].DelaySeconds = 901
	batch[2].MessageBody = ptr("a\x00b")

	out, err := c.sendBatch(url, batch)
	require.NoError(c, err)
	require.Len(c, out.Successful, 1)
	require.Equal(c, "id0", *out.Successful[0].Id)

	codes := map[string]string{}
	for _, f := range out.Failed {
		codes[*f.Id] = *f.Code
		require.True(c, f.SenderFault)
	}

	require.Equal(c, map[string]string{"id1": "InvalidParameterValue", "id2": "InvalidMessageContents"}, codes)
	c.receiveOne(url)
}

func deleteBatch(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	m := c.receiveOne(url, visibility(600))

	out, err := c.sqs.DeleteMessageBatch(c.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: ptr("good"), ReceiptHandle: m.ReceiptHandle}, {Id: ptr("bad"), ReceiptHandle: ptr("nonsense")},
	}})
	require.NoError(c, err)

	require.Len(c, out.Successful, 1)
	require.Equal(c, "good", *out.Successful[0].Id)
	require.Len(c, out.Failed, 1)
	require.Equal(c, "ReceiptHandleIsInvalid", *out.Failed[0].Code)
	require.True(c, out.Failed[0].SenderFault)
	c.awaitCounts(url, "0", "0", "0")
}
