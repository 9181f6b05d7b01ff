package conformance

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

func batchCases() []kase {
	page := sqsAPI + "API_SendMessageBatch.html"
	return []kase{
		promise("a batch answers each of its entries", page,
			"Up to ten messages; the result of each is reported by itself, with its id.", batchAnswersEach),
		promise("a batch fails in part", page,
			"A batch can be a mix of successes and failures, also with status 200.", batchInPart),
		promise("a batch has an entry at least", page, "EmptyBatchRequest: the batch request doesn't contain any entries.", batchEmpty),
		promise("a batch has ten entries at most", page, "TooManyEntriesInBatchRequest.", batchEleven),
		promise("a batch's ids are distinct", page, "BatchEntryIdsNotDistinct.", batchSameIDs),
		promise("a batch's ids are letters, digits, hyphens, underscores", page,
			"InvalidBatchEntryId: up to 80 characters of alphanumeric, hyphen and underscore.", batchBadIDs),
		promise("a batch has 1 MiB in all", page, "BatchRequestTooLong: the length of all the messages put together is more than the limit.", batchTooLong),
		promise("deletes in batches, each entry by itself", sqsAPI+"API_DeleteMessageBatch.html",
			"The result of the action on each message is reported individually.", deleteBatch),
	}
}

func entries(n int, body string) (out []types.SendMessageBatchRequestEntry) {
	for i := range n {
		out = append(out, types.SendMessageBatchRequestEntry{Id: some(fmt.Sprint("id", i)), MessageBody: some(body)})
	}
	return out
}

func (c *C) sendBatch(url string, e []types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
	return c.sqs.SendMessageBatch(c.ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: e})
}

func batchAnswersEach(c *C) {
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

func batchInPart(c *C) {
	url := c.queue()
	batch := entries(3, "m")
	batch[1].DelaySeconds = 901
	batch[2].MessageBody = some("a\x00b")
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
	c.one(url)
}

func batchEmpty(c *C) {
	_, err := c.sendBatch(c.queue(), []types.SendMessageBatchRequestEntry{})
	c.refused(err, "EmptyBatchRequest")
}

func batchEleven(c *C) {
	url := c.queue()
	_, err := c.sendBatch(url, entries(11, "m"))
	c.refused(err, "TooManyEntriesInBatchRequest")
	c.quiet(url, 0, "none of them was sent")
}

func batchSameIDs(c *C) {
	batch := entries(2, "m")
	batch[1].Id = batch[0].Id
	_, err := c.sendBatch(c.queue(), batch)
	c.refused(err, "BatchEntryIdsNotDistinct")
}

func batchBadIDs(c *C) {
	url := c.queue()
	for _, bad := range []string{"a b", "a.b", strings.Repeat("i", 81)} {
		batch := entries(1, "m")
		batch[0].Id = &bad
		_, err := c.sendBatch(url, batch)
		require.Error(c, err, "the id %q", bad)
		c.refused(err, "InvalidBatchEntryId")
	}
}

func batchTooLong(c *C) {
	url := c.queue()
	_, err := c.sendBatch(url, entries(5, strings.Repeat("x", 1<<18)))
	c.refused(err, "BatchRequestTooLong")
	_, err = c.sendBatch(url, entries(4, strings.Repeat("x", 1<<18)))
	require.NoError(c, err)
}

func deleteBatch(c *C) {
	url := c.queue()
	c.send(url, "x")
	m := c.one(url, hidden(600))
	out, err := c.sqs.DeleteMessageBatch(c.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: some("good"), ReceiptHandle: m.ReceiptHandle}, {Id: some("bad"), ReceiptHandle: some("nonsense")},
	}})
	require.NoError(c, err)
	require.Len(c, out.Successful, 1)
	require.Equal(c, "good", *out.Successful[0].Id)
	require.Len(c, out.Failed, 1)
	require.Equal(c, "ReceiptHandleIsInvalid", *out.Failed[0].Code)
	require.True(c, out.Failed[0].SenderFault)
	c.counts(url, "0", "0", "0")
}
