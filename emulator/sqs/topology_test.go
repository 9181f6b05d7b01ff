package sqs

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCreateQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q", j{"VisibilityTimeout": "7"})
		require.Equal(t, "http://sqs/000000000000/q", url)
		require.Equal(t, url, c.queue("q", nil), "the same attributes, as far as named")
		require.Equal(t, url, c.queue("q", j{"VisibilityTimeout": "7", "DelaySeconds": "0"}))
		c.refuses("QueueAlreadyExists", "VisibilityTimeout", "CreateQueue", j{"QueueName": "q", "Attributes": j{"VisibilityTimeout": "8"}})

		for _, name := range []string{"", "a b", "a.b", strings.Repeat("x", 81), strings.Repeat("x", 76) + ".fifo"} {
			c.refuses("InvalidParameterValue", "", "CreateQueue", j{"QueueName": name, "Attributes": j{"FifoQueue": fmt.Sprint(strings.HasSuffix(name, ".fifo"))}})
		}
		c.refuses("InvalidParameterValue", ".fifo", "CreateQueue", j{"QueueName": "q", "Attributes": j{"FifoQueue": "true"}})
		c.refuses("InvalidParameterValue", ".fifo", "CreateQueue", j{"QueueName": "q.fifo"})

		c.do("DeleteQueue", j{"QueueUrl": url})
		c.refuses("NonExistentQueue", "", "GetQueueUrl", j{"QueueName": "q"})
		time.Sleep(59 * time.Second)
		c.refuses("QueueDeletedRecently", "60 seconds", "CreateQueue", j{"QueueName": "q"})

		time.Sleep(time.Second)
		c.queue("q", nil)
		require.Equal(t, url, c.do("GetQueueUrl", j{"QueueName": "q"})["QueueUrl"])
	})
}

func TestAttributesAreChecked(t *testing.T) {
	c := memory(t, Options{})
	c.queue("dead", nil)
	c.queue("dead.fifo", nil)
	create := func(code, text string, attributes j) {
		c.refuses(code, text, "CreateQueue", j{"QueueName": "q", "Attributes": attributes})

		url := c.queue("s", nil)
		c.refuses(code, text, "SetQueueAttributes", j{"QueueUrl": url, "Attributes": attributes})
	}
	for name, bad := range map[string][]string{
		"VisibilityTimeout": {"-1", "43201", "x", ""}, "DelaySeconds": {"901"}, "MaximumMessageSize": {"1023", "1048577"},
		"MessageRetentionPeriod": {"59", "1209601"}, "ReceiveMessageWaitTimeSeconds": {"21"}, "KmsDataKeyReusePeriodSeconds": {"59", "86401"},
		"SqsManagedSseEnabled": {"yes"}, "Policy": {"{", "{}"},
	} {
		for _, v := range bad {
			create("InvalidAttributeValue", name, j{name: v})
		}
	}

	for _, name := range []string{"Nonsense", "QueueArn", "ApproximateNumberOfMessages"} {
		create("InvalidAttributeName", "Unknown Attribute "+name, j{name: "1"})
	}
	for _, name := range []string{"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"} {
		create("InvalidAttributeName", "only when FifoQueue", j{name: "true"})
	}

	for _, v := range []string{"{", `{"maxReceiveCount":1}`, `{"deadLetterTargetArn":"` + arn("dead") + `"}`, redriveTo("dead", "0"), redriveTo("dead", "1001"),
		redriveTo("dead", `"x"`), redriveTo("none", "1"), redriveTo("dead.fifo", "1"), `{"deadLetterTargetArn":"dead","maxReceiveCount":1}`} {
		create("InvalidParameterValue", "RedrivePolicy", j{"RedrivePolicy": v})
	}

	for _, v := range []string{"{", "{}", `{"redrivePermission":"byQueue"}`, `{"redrivePermission":"allowAll","sourceQueueArns":["x"]}`, `{"redrivePermission":"some"}`} {
		create("InvalidParameterValue", "RedriveAllowPolicy", j{"RedriveAllowPolicy": v})
	}
	create("InvalidAttributeName", "one type of server-side encryption", j{"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"})
	fifo := c.queue("q.fifo", nil)
	c.refuses("InvalidAttributeValue", "messageGroup", "SetQueueAttributes", j{"QueueUrl": fifo, "Attributes": j{"FifoThroughputLimit": "perMessageGroupId"}})
	c.refuses("InvalidAttributeValue", "queue type", "SetQueueAttributes", j{"QueueUrl": fifo, "Attributes": j{"FifoQueue": "false"}})
	c.refuses("InvalidAttributeName", "Nonsense", "GetQueueAttributes", j{"QueueUrl": fifo, "AttributeNames": []string{"Nonsense"}})
}

func TestAttributesAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		at := fmt.Sprint(time.Now().Unix())
		url := c.queue("q", nil)
		require.Equal(t, j{
			"VisibilityTimeout": "30", "DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
			"ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true", "QueueArn": arn("q"), "CreatedTimestamp": at, "LastModifiedTimestamp": at,
			"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
		}, c.attributes(url))

		time.Sleep(time.Minute)
		c.queue("dead", nil)
		set := func(a j) j {
			c.do("SetQueueAttributes", j{"QueueUrl": url, "Attributes": a})
			return c.attributes(url)
		}

		policy := `{"Statement":[]}`
		got := set(j{"RedrivePolicy": redriveTo("dead", `"5"`), "Policy": policy, "KmsMasterKeyId": "alias/k"})
		require.Equal(t, redriveTo("dead", `"5"`), got["RedrivePolicy"], "as it was given")
		require.Equal(t, policy, got["Policy"])
		require.Equal(t, "false", got["SqsManagedSseEnabled"], "one kind of encryption")
		require.Equal(t, "300", got["KmsDataKeyReusePeriodSeconds"])
		require.NotEqual(t, at, got["LastModifiedTimestamp"])
		require.Equal(t, at, got["CreatedTimestamp"])

		got = set(j{"RedrivePolicy": "", "Policy": "", "SqsManagedSseEnabled": "true"})
		for _, gone := range []string{"RedrivePolicy", "Policy", "KmsMasterKeyId"} {
			require.NotContains(t, got, gone)
		}

		one := c.do("GetQueueAttributes", j{"QueueUrl": url, "AttributeNames": []string{"QueueArn", "Policy", "FifoQueue"}})
		require.Equal(t, j{"Attributes": j{"QueueArn": arn("q")}}, one)
		fifo := c.attributes(c.queue("f.fifo", nil))
		for k, v := range map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"} {
			require.Equal(t, v, fifo[k])
		}
	})
}

func TestRedriveAllowPolicyIsEnforced(t *testing.T) {
	c := memory(t, Options{})
	dead := c.queue("dead", j{"RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["` + arn("q") + `"]}`})
	c.queue("q", j{"RedrivePolicy": redriveTo("dead", "1")})
	c.refuses("InvalidParameterValue", "permission", "CreateQueue", j{"QueueName": "other", "Attributes": j{"RedrivePolicy": redriveTo("dead", "1")}})

	c.do("SetQueueAttributes", j{"QueueUrl": dead, "Attributes": j{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`}})
	c.refuses("InvalidParameterValue", "permission", "SetQueueAttributes", j{"QueueUrl": "/q", "Attributes": j{"RedrivePolicy": redriveTo("dead", "2")}})
	c.do("SetQueueAttributes", j{"QueueUrl": dead, "Attributes": j{"RedriveAllowPolicy": ""}})
	c.queue("other", j{"RedrivePolicy": redriveTo("dead", "1")})
	require.Equal(t, j{"queueUrls": []any{"http://sqs/000000000000/other", "http://sqs/000000000000/q"}}, c.do("ListDeadLetterSourceQueues", j{"QueueUrl": dead}))
}

func TestListQueuesByPrefixAndPage(t *testing.T) {
	c := memory(t, Options{})
	for _, name := range []string{"b2", "a", "b1", "b3"} {
		c.queue(name, nil)
	}

	urls := func(names ...string) (out []any) {
		for _, n := range names {
			out = append(out, "http://sqs/000000000000/"+n)
		}
		return out
	}
	require.Equal(t, j{"QueueUrls": urls("a", "b1", "b2", "b3")}, c.do("ListQueues", j{}))
	require.Equal(t, j{}, c.do("ListQueues", j{"QueueNamePrefix": "c"}))

	page := c.do("ListQueues", j{"QueueNamePrefix": "b", "MaxResults": 2})
	require.Equal(t, urls("b1", "b2"), page["QueueUrls"])
	require.Equal(t, j{"QueueUrls": urls("b3")}, c.do("ListQueues", j{"QueueNamePrefix": "b", "MaxResults": 2, "NextToken": page["NextToken"]}))
	c.refuses("InvalidParameterValue", "MaxResults", "ListQueues", j{"MaxResults": 1001})
	c.refuses("InvalidParameterValue", "NextToken", "ListQueues", j{"NextToken": "?"})
}

func TestPurgeIsOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		url := c.queue("q", nil)
		for _, in := range []j{{}, {}, {"DelaySeconds": 5}} {
			c.send(url, "x", in)
		}

		held := c.receive(url, j{"MaxNumberOfMessages": 1})[0]
		c.do("PurgeQueue", j{"QueueUrl": url})
		c.send(url, "after")
		require.Equal(t, "after", bodies(c.receive(url)))

		c.remove(url, held)
		time.Sleep(60*time.Second - time.Millisecond)
		c.refuses("PurgeQueueInProgress", "60 seconds", "PurgeQueue", j{"QueueUrl": url})
		time.Sleep(time.Millisecond)
		c.do("PurgeQueue", j{"QueueUrl": url})
		require.Equal(t, "0", c.attributes(url)["ApproximateNumberOfMessagesNotVisible"])
	})
}

// A template's queue may name a dead-letter queue that is created after it.
func TestATemplateCreatesQueuesInAnyOrder(t *testing.T) {
	c := memory(t, Options{})
	policy := map[string]string{"RedrivePolicy": redriveTo("dead", "1"), "VisibilityTimeout": "0"}
	require.NoError(t, c.s.Create("q", policy))
	c.send("/q", "x")
	require.Len(t, c.receive("/q"), 1)
	require.Len(t, c.receive("/q"), 1, "the dead-letter queue does not exist yet")
	require.NoError(t, c.s.Create("dead", nil))
	require.NoError(t, c.s.Create("q", policy), "it exists already")
	require.Empty(t, c.receive("/q"))
	require.Len(t, c.receive("/dead"), 1)
	require.NoError(t, c.s.SetAttributes("q", map[string]string{"RedrivePolicy": redriveTo("later", "1")}))
	require.Error(t, c.s.Create("q", map[string]string{"VisibilityTimeout": "1"}))
	require.NoError(t, c.s.Create("f.fifo", nil), "FIFO by its name")
	require.Equal(t, "true", c.attributes("/f.fifo")["FifoQueue"])
}
