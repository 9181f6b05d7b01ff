package sqs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The digests of attributes are those that LocalStack 4.14.0 gave for the same,
// and what the documented algorithm computes by hand: big-endian lengths, name,
// type, one byte for the transport type, value, the names sorted.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func TestDigestsOfAttributes(t *testing.T) {
	mixed := map[string]attribute{"b": {DataType: "Binary", BinaryValue: []byte("\x00y")}, "a": {DataType: "String", StringValue: "x"}}
	require.Equal(t, "30a8d4756b4d35170982be7fe84990e9", md5Attributes(mixed))
	require.Equal(t, md5Hex([]byte("\x00\x00\x00\x01a\x00\x00\x00\x06String\x01\x00\x00\x00\x01x\x00\x00\x00\x01b\x00\x00\x00\x06Binary\x02\x00\x00\x00\x02\x00y")), md5Attributes(mixed))
	require.Equal(t, md5Hex([]byte("\x00\x00\x00\x01n\x00\x00\x00\x0aNumber.int\x01\x00\x00\x00\x0242")), md5Attributes(map[string]attribute{"n": {DataType: "Number.int", StringValue: "42"}}))
	require.Empty(t, md5Attributes(nil))
}

func TestAMessageComesBackAsItWasSent(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q", nil)
	body := "tab\t line\n <&> \u00fc \U0001F697"
	trace := j{"AWSTraceHeader": j{"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
	sent := c.send(url, body, j{"MessageAttributes": j{
		"a": j{"DataType": "String", "StringValue": "x"}, "b": j{"DataType": "Binary", "BinaryValue": []byte("\x00y")}, "c.d": j{"DataType": "Number", "StringValue": "-1.5e3"},
	}, "MessageSystemAttributes": trace})
	require.Equal(t, md5Hex([]byte(body)), sent["MD5OfMessageBody"])
	require.Equal(t, md5Attributes(map[string]attribute{"AWSTraceHeader": {DataType: "String", StringValue: "Root=1-5759e988-bd862e3fe1be46a994272793"}}), sent["MD5OfMessageSystemAttributes"])
	require.NotContains(t, sent, "SequenceNumber")

	m := c.receive(url, j{"VisibilityTimeout": 0})[0]
	require.Equal(t, sent["MessageId"], m.MessageID)
	require.Equal(t, body, m.Body)
	require.Equal(t, sent["MD5OfMessageBody"], m.MD5OfBody)
	require.Equal(t, sent["MD5OfMessageAttributes"], m.MD5OfMessageAttributes)
	require.Equal(t, "Root=1-5759e988-bd862e3fe1be46a994272793", m.Attributes["AWSTraceHeader"])
	require.Equal(t, []byte("\x00y"), m.MessageAttributes["b"].BinaryValue)

	for want, n := range map[string]int{"a": 1, "c.*": 1, ".*": 3, "z": 0} {
		m = c.receive(url, j{"VisibilityTimeout": 0, "MessageAttributeNames": []string{want}, "MessageSystemAttributeNames": []string{"SenderId"}})[0]
		require.Len(t, m.MessageAttributes, n, want)
		require.Equal(t, n == 0, m.MD5OfMessageAttributes == "", "the digest is of what is shown")
		require.Len(t, m.Attributes, 1)
	}

	m = c.receive(url, j{"MessageAttributeNames": nil, "MessageSystemAttributeNames": nil})[0]
	require.Empty(t, m.Attributes)
	require.Empty(t, m.MessageAttributes)
}

func TestWhatCannotBeSent(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q", j{"MaximumMessageSize": "1024"})
	refuses := func(code, text, body string, more j) {
		in := j{"QueueUrl": url, "MessageBody": body}

		for k, v := range more {
			in[k] = v
		}
		c.refuses(code, text, "SendMessage", in)
	}

	attributes := func(name, kind, value string) j {
		return j{"MessageAttributes": j{name: j{"DataType": kind, "StringValue": value}}}
	}
	refuses("MissingParameter", "MessageBody", "", nil)

	for _, bad := range []string{"\x00", "\x1f", "\uFFFE", "\uFFFF", "\v"} {
		refuses("InvalidMessageContents", "Invalid characters", "x"+bad, nil)
	}
	c.send(url, strings.Repeat("x", 1024))
	refuses("InvalidParameterValue", "shorter than 1024", strings.Repeat("x", 1025), nil)
	c.send(url, strings.Repeat("x", 1016), attributes("a", "String", "v"))
	refuses("InvalidParameterValue", "shorter than 1024", strings.Repeat("x", 1017), attributes("a", "String", "v"))

	for _, a := range []j{
		attributes("", "String", "v"), attributes("a b", "String", "v"), attributes(".a", "String", "v"), attributes("a.", "String", "v"), attributes("a..b", "String", "v"),
		attributes("AWS.a", "String", "v"), attributes("amazon.a", "String", "v"), attributes(strings.Repeat("a", 257), "String", "v"),
		attributes("a", "", "v"), attributes("a", "Text", "v"), attributes("a", "String", ""), attributes("a", "Binary", ""), attributes("a", "Number", "x"), attributes("a", "String", "\x00"),
		{"MessageSystemAttributes": j{"x": j{"DataType": "String", "StringValue": "v"}}}, {"MessageSystemAttributes": j{"AWSTraceHeader": j{"DataType": "Number", "StringValue": "1"}}},
	} {
		refuses("InvalidParameterValue", "", "x", a)
	}

	many := j{}
	for _, n := range strings.Split("abcdefghijk", "") {
		many[n] = j{"DataType": "String", "StringValue": "v"}
	}

	refuses("InvalidParameterValue", "10", "x", j{"MessageAttributes": many})
}

func TestBatches(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q", nil)
	batch := func(entries ...j) j { return j{"QueueUrl": url, "Entries": entries} }
	for _, op := range []string{"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"} {
		c.refuses("EmptyBatchRequest", "", op, batch())
		c.refuses("BatchEntryIdsNotDistinct", "Id a repeated", op, batch(j{"Id": "a"}, j{"Id": "a"}))
		c.refuses("InvalidBatchEntryId", "", op, batch(j{"Id": "a b"}))
		c.refuses("InvalidBatchEntryId", "", op, batch(j{"Id": strings.Repeat("a", 81)}))
		c.refuses("TooManyEntriesInBatchRequest", "You have sent 11", op, batch(make([]j, 11)...))
		c.refuses("NonExistentQueue", "", op, j{"QueueUrl": "/none", "Entries": []j{{"Id": "a"}}})
	}

	half := strings.Repeat("x", maxMessage/2)
	c.refuses("BatchRequestTooLong", "1048577 bytes", "SendMessageBatch", batch(j{"Id": "1", "MessageBody": half}, j{"Id": "2", "MessageBody": half + "x"}))
	out := c.do("SendMessageBatch", batch(j{"Id": "1", "MessageBody": half}, j{"Id": "2", "MessageBody": "\x00" + half[2:]}, j{"Id": "3", "MessageBody": "x"}))
	require.Len(t, out["Successful"], 2)
	require.Equal(t, []any{j{"Id": "2", "Code": "InvalidMessageContents", "Message": allowedCharacters, "SenderFault": true}}, out["Failed"])

	messages := c.receive(url)
	require.Len(t, messages, 2)
	out = c.do("ChangeMessageVisibilityBatch", batch(j{"Id": "1", "ReceiptHandle": messages[0].ReceiptHandle, "VisibilityTimeout": 5}, j{"Id": "2", "ReceiptHandle": "x", "VisibilityTimeout": 5}))
	require.Equal(t, []any{j{"Id": "1"}}, out["Successful"])

	failed, _ := out["Failed"].([]any)
	require.Equal(t, "ReceiptHandleIsInvalid", failed[0].(j)["Code"])
	out = c.do("DeleteMessageBatch", batch(j{"Id": "1", "ReceiptHandle": messages[0].ReceiptHandle}, j{"Id": "2", "ReceiptHandle": "x"}, j{"Id": "3", "ReceiptHandle": messages[0].ReceiptHandle}))
	require.Equal(t, []any{j{"Id": "1"}, j{"Id": "3"}}, out["Successful"])
	require.Len(t, out["Failed"], 1)
	require.Equal(t, "1", c.attributes(url)["ApproximateNumberOfMessagesNotVisible"])
}
