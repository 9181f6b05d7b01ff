package conformance

import (
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

func metadataCases() []testCase {
	metadata := sqsGuide + "sqs-message-metadata.html"
	return []testCase{
		promise("message attributes come back as they were sent", metadata,
			"Attributes are String, Number or Binary, each with an optional custom label.", attributesComeBack),
		promise("attributes have an MD5", metadata+"#sqs-attributes-md5-message-digest-calculation",
			"The MD5 covers, sorted by name, each attribute's name, type, transport byte and value, with their lengths.", attributesMD5),
		promise("a receive chooses attributes by name and by prefix", sqsAPI+"API_ReceiveMessage.html",
			"Attributes come by name, by a prefix such as bar.*, or all; without a name none.", attributesChosen),
		promise("system attributes say who, when and how often", sqsAPI+"API_ReceiveMessage.html",
			"SenderId, SentTimestamp, ApproximateReceiveCount, ApproximateFirstReceiveTimestamp; times in milliseconds.", systemAttributes),
		promise("a trace header travels along", sqsAPI+"API_SendMessage.html",
			"The only supported message system attribute is AWSTraceHeader.", traceHeader),
		promise("a group on a standard queue is kept and orders nothing", sqsGuide+"sqs-fair-queues.html",
			"MessageGroupId on a standard queue names a tenant; messages of one group can be in flight at once.", fairQueue),
	}
}

func attributeOf(kind, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, StringValue: &value}
}

func withAttributes(attributes map[string]types.MessageAttributeValue) sendOption {
	return func(in *sqs.SendMessageInput) { in.MessageAttributes = attributes }
}

func someAttributes() map[string]types.MessageAttributeValue {
	return map[string]types.MessageAttributeValue{
		"zone":   attributeOf("String", "Ciudad Vieja ∑"),
		"n":      attributeOf("Number", "12.50"),
		"blob":   {DataType: ptr("Binary"), BinaryValue: []byte{0, 1, 0xff}},
		"custom": attributeOf("String.geo", "x"),
		"int":    attributeOf("Number.int", "7"),
	}
}

func attributesComeBack(c *caseRun) {
	url := c.queue()
	c.send(url, "x", withAttributes(someAttributes()))

	got := c.receiveOne(url).MessageAttributes
	require.Len(c, got, 5)

	for name, want := range someAttributes() {
		require.Equal(c, *want.DataType, *got[name].DataType, name)
		require.Equal(c, want.StringValue, got[name].StringValue, name)
		require.Equal(c, want.BinaryValue, got[name].BinaryValue, name)
	}
}

// digest is the documented MD5 of message attributes.
func digest(attributes map[string]types.MessageAttributeValue) string {
	var b []byte
	part := func(p []byte) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...) }

	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		part([]byte(name))
		part([]byte(*a.DataType))
		if a.StringValue != nil {
			b = append(b, 1)
			part([]byte(*a.StringValue))
		} else {
			b = append(b, 2)
			part(a.BinaryValue)
		}
	}

	return md5Hex(b)
}

func attributesMD5(c *caseRun) {
	url := c.queue()
	out := c.send(url, "x", withAttributes(someAttributes()))
	require.NotNil(c, out.MD5OfMessageAttributes)
	require.Equal(c, digest(someAttributes()), *out.MD5OfMessageAttributes)
	require.Equal(c, digest(someAttributes()), *c.receiveOne(url).MD5OfMessageAttributes)
}

func attributesChosen(c *caseRun) {
	url := c.queue()
	c.send(url, "x", withAttributes(map[string]types.MessageAttributeValue{
		"bar.one": attributeOf("String", "1"), "bar.two": attributeOf("String", "2"), "foo": attributeOf("String", "3"),
	}))

	for _, one := range []struct{ ask, want []string }{
		{nil, nil}, {[]string{"foo"}, []string{"foo"}}, {[]string{"bar.*"}, []string{"bar.one", "bar.two"}},
		{[]string{".*"}, []string{"bar.one", "bar.two", "foo"}}, {[]string{"none"}, nil},
	} {
		m := c.receiveOne(url, func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = one.ask })
		require.Equal(c, one.want, slices.Sorted(maps.Keys(m.MessageAttributes)), "asked for %v", one.ask)
		require.NoError(c, c.changeVisibility(url, *m.ReceiptHandle, 0))
	}
}

func systemAttributes(c *caseRun) {
	url := c.queue()
	c.send(url, "x")
	first := c.receiveOne(url, visibility(1)).Attributes
	second := c.receiveOne(url).Attributes

	require.NotEmpty(c, first["SenderId"])
	require.Equal(c, "1", first["ApproximateReceiveCount"])
	require.Equal(c, "2", second["ApproximateReceiveCount"])

	for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
		ms, err := strconv.ParseInt(first[name], 10, 64)
		require.NoError(c, err, name)
		require.WithinDuration(c, time.Now(), time.UnixMilli(ms), time.Minute, name)
		require.Equal(c, first[name], second[name], "%s stays", name)
	}
}

func traceHeader(c *caseRun) {
	url := c.queue()
	const header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
	c.send(url, "x", func(in *sqs.SendMessageInput) {
		in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: ptr("String"), StringValue: ptr(header)},
		}
	})
	require.Equal(c, header, c.receiveOne(url).Attributes["AWSTraceHeader"])
}

func fairQueue(c *caseRun) {
	url := c.queue()
	c.send(url, "1", toGroup("tenant"))
	c.send(url, "2", toGroup("tenant"))
	got := c.collect(url, 2, visibility(60))
	require.ElementsMatch(c, []string{"1", "2"}, bodies(got))
	require.Equal(c, "tenant", got[0].Attributes["MessageGroupId"])
}
