package conformance

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"
)

func queueCases() []testCase {
	create := sqsAPI + "API_CreateQueue.html"
	return []testCase{
		promise("creating a queue again returns the same queue", create,
			"With the name of an existing queue and the same attributes, the existing queue's URL is returned.", createAgain),
		promise("creating a queue again otherwise is refused", create,
			"QueueNameExists: a queue with this name and other attributes exists.", createOtherwise),
		promise("a queue's name may have 80 characters", create,
			"Up to 80 characters: alphanumeric, hyphens, underscores.", longQueueName),
		promise("a queue has AWS's defaults", create,
			"DelaySeconds 0, MaximumMessageSize 1,048,576, MessageRetentionPeriod 345,600, ReceiveMessageWaitTimeSeconds 0, VisibilityTimeout 30.", queueDefaults),
		promise("attributes are set and read, all or some", sqsAPI+"API_SetQueueAttributes.html",
			"Sets the value of one or more attributes; others stay.", setAttributes),
		promise("what has no queue is refused by name", sqsAPI+"API_GetQueueUrl.html",
			"QueueDoesNotExist (AWS.SimpleQueueService.NonExistentQueue): the specified queue doesn't exist, status 400.", noQueue),
		promise("a deleted queue is gone", sqsAPI+"API_DeleteQueue.html",
			"Deletes the queue, regardless of its contents.", deleteQueue),
		promise("a deleted queue's name is free after 60 seconds", create,
			"QueueDeletedRecently: you must wait 60 seconds after deleting a queue before you can create another with the same name.", deletedRecently),
		promise("queues are listed by prefix and by page", sqsAPI+"API_ListQueues.html",
			"QueueNamePrefix filters; with MaxResults, NextToken goes on.", listQueues),
		promise("a purge empties a queue", sqsAPI+"API_PurgeQueue.html",
			"Deletes available messages in a queue, in flight or not.", purge),
		promise("a queue is purged once in 60 seconds", sqsAPI+"API_PurgeQueue.html",
			"PurgeQueueInProgress: a PurgeQueue of this queue within the last 60 seconds.", purgeTwice),
		promise("after 60 seconds it may be purged again", sqsAPI+"API_PurgeQueue.html",
			"Only one PurgeQueue operation is allowed every 60 seconds.", purgeLater, slow),
		promise("a queue is found by its name", sqsAPI+"API_GetQueueUrl.html",
			"Returns the URL of an existing queue.", findQueue),
	}
}

func createAgain(c *caseRun) {
	name := unique("conformance")
	url := c.queueNamed(name, "VisibilityTimeout", "40")
	require.Equal(c, url, c.queueNamed(name, "VisibilityTimeout", "40"))
	require.Equal(c, url, c.queueNamed(name), "no attribute differs")
}

func createOtherwise(c *caseRun) {
	name := unique("conformance")
	c.queueNamed(name, "VisibilityTimeout", "40")
	_, err := c.createQueue(name, "VisibilityTimeout", "41")
	c.refused(err, "QueueNameExists")
}

func longQueueName(c *caseRun) {
	long := unique(strings.Repeat("n", 67)) // with its 13: 80
	require.Len(c, long, 80)
	c.queueNamed(long)
}

func queueDefaults(c *caseRun) {
	name := unique("conformance")
	a := c.attributes(c.queueNamed(name))
	for key, want := range pairs("DelaySeconds", "0", "MaximumMessageSize", "1048576", "MessageRetentionPeriod", "345600",
		"ReceiveMessageWaitTimeSeconds", "0", "VisibilityTimeout", "30", "SqsManagedSseEnabled", "true") {
		require.Equal(c, want, a[key], key)
	}

	require.NotEmpty(c, a["CreatedTimestamp"])
	require.NotEmpty(c, a["LastModifiedTimestamp"])
	require.True(c, strings.HasPrefix(a["QueueArn"], "arn:aws:sqs:") && strings.HasSuffix(a["QueueArn"], ":"+name), a["QueueArn"])
}

func setAttributes(c *caseRun) {
	url := c.queue("VisibilityTimeout", "40", "DelaySeconds", "3")
	require.NoError(c, c.set(url, "VisibilityTimeout", "41", "ReceiveMessageWaitTimeSeconds", "5"))
	c.eventually("the attributes are set", func() bool {
		a := c.attributes(url)
		return a["VisibilityTimeout"] == "41" && a["ReceiveMessageWaitTimeSeconds"] == "5" && a["DelaySeconds"] == "3"
	})
	require.Equal(c, pairs("DelaySeconds", "3"), c.attributes(url, "DelaySeconds"))
}

func noQueue(c *caseRun) {
	url := c.queue() + "-none"

	_, err := c.sqs.GetQueueUrl(c.ctx, &sqs.GetQueueUrlInput{QueueName: ptr(unique("none"))})
	c.refused(err, "QueueDoesNotExist")

	_, err = c.trySend(url, "x")
	c.refused(err, "QueueDoesNotExist")

	_, err = c.tryReceive(url, 0)
	c.refused(err, "QueueDoesNotExist")

	c.refused(c.tryDelete(url, "nonsense"), "QueueDoesNotExist")
	c.refused(c.set(url, "DelaySeconds", "1"), "QueueDoesNotExist")
}

func deleteQueue(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	_, err := c.sqs.DeleteQueue(c.ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	require.NoError(c, err)
	c.eventually("the queue is gone", func() bool {
		_, err = c.trySend(url, "x")
		return codeOf(err) == "QueueDoesNotExist"
	})
}

func deletedRecently(c *caseRun) {
	name := unique("conformance")
	url := c.queueNamed(name)
	_, err := c.sqs.DeleteQueue(c.ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	require.NoError(c, err)

	_, err = c.createQueue(name)
	c.refused(err, "QueueDeletedRecently")
}

func listQueues(c *caseRun) {
	prefix := unique("conformance")
	var want []string
	for _, n := range []string{"-a", "-b", "-c"} {
		want = append(want, c.queueNamed(prefix+n))
	}
	slices.Sort(want)

	all := func(page *int32) (urls []string, pages int) {
		for next := (*string)(nil); ; {
			out, err := c.sqs.ListQueues(c.ctx, &sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: page, NextToken: next})
			require.NoError(c, err)
			urls, pages = append(urls, out.QueueUrls...), pages+1
			if next = out.NextToken; next == nil {
				slices.Sort(urls)
				return urls, pages
			}
		}
	}

	c.eventually("the new queues are listed", func() bool {
		urls, _ := all(nil)
		return slices.Equal(want, urls)
	})

	urls, pages := all(ptr(int32(2)))
	require.Equal(c, want, urls)
	require.Equal(c, 2, pages)
}

func purge(c *caseRun) {
	url := c.queue()
	c.send(url, "1")
	c.send(url, "2")
	c.receiveOne(url, visibility(2))

	_, err := c.sqs.PurgeQueue(c.ctx, &sqs.PurgeQueueInput{QueueUrl: &url})
	require.NoError(c, err)
	c.awaitCounts(url, "0", "0", "0")
	c.receivesNone(url, 4, "it was purged, in flight too")

	if c.at.Backend != AWS { // there a purge takes up to 60 seconds
		c.send(url, "3")
		require.Equal(c, "3", *c.receiveOne(url).Body)
	}
}

func purgeTwice(c *caseRun) {
	url := c.queue()
	_, err := c.sqs.PurgeQueue(c.ctx, &sqs.PurgeQueueInput{QueueUrl: &url})
	require.NoError(c, err)
	_, err = c.sqs.PurgeQueue(c.ctx, &sqs.PurgeQueueInput{QueueUrl: &url})
	c.refused(err, "PurgeQueueInProgress")
}

func purgeLater(c *caseRun) {
	url := c.queue()
	_, err := c.sqs.PurgeQueue(c.ctx, &sqs.PurgeQueueInput{QueueUrl: &url})
	require.NoError(c, err)
	c.pause(62 * time.Second)
	_, err = c.sqs.PurgeQueue(c.ctx, &sqs.PurgeQueueInput{QueueUrl: &url})
	require.NoError(c, err)
}

func findQueue(c *caseRun) {
	name := unique("conformance")
	url := c.queueNamed(name)
	out, err := c.sqs.GetQueueUrl(c.ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	require.NoError(c, err)
	require.Equal(c, url, *out.QueueUrl)
}
