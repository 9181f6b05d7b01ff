package emulator_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/test/testaws"
	"tandem/services/test/testenv"
)

const (
	jsonKind = "application/x-amz-json-1.1"
	cborKind = "application/x-amz-cbor-1.1"
	formKind = "application/x-www-form-urlencoded"
)

// wireAnswer is an answer as it comes over the wire.
type wireAnswer struct {
	status int
	proto  string
	header http.Header
	body   []byte
}

// ask sends one request as no SDK that Go has would.
func ask(t *testing.T, c *http.Client, method, url, kind, target string, body []byte, header ...string) wireAnswer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", kind)
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}

	resp, err := c.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return wireAnswer{resp.StatusCode, resp.Proto, resp.Header, b}
}

// http2 speaks HTTP/2 without TLS from the first byte on, as JavaScript's and
// Java's Kinesis clients do.
func http2() *http.Client {
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: p}}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	at := testenv.Emulator(t)
	require.Equal(t, "HTTP/2.0", ask(t, http2(), "GET", at.Endpoint+"/healthz", "", "", nil).proto)
	require.Equal(t, "HTTP/1.1", ask(t, http.DefaultClient, "GET", at.Endpoint+"/healthz", "", "", nil).proto)

	cfg, err := testaws.Config(t.Context(), at.Endpoint, "")
	require.NoError(t, err)
	cfg.HTTPClient, cfg.Retryer = http2(), func() aws.Retryer { return aws.NopRetryer{} }
	put, err := kinesis.NewFromConfig(cfg).PutRecord(t.Context(), &kinesis.PutRecordInput{
		StreamName: aws.String(stream), PartitionKey: aws.String("k"), Data: bytes.Repeat([]byte("x"), 1<<20-1), // many frames
	})
	require.NoError(t, err)
	require.NotEmpty(t, put.SequenceNumber)
}

// Each answer has an id of its own, and each error its type in the header, where
// SDKs look first.
func TestEveryAnswerHasAnIDAndAnErrorItsType(t *testing.T) {
	at, seen := testenv.Emulator(t), map[string]bool{}
	for _, tc := range []struct {
		name, method, path, kind, target, body string
		header                                 []string
		status                                 int
		errorType                              string
	}{
		{name: "SQS", kind: jsonKind, target: "AmazonSQS.ListQueues", body: "{}", status: 200},
		{name: "SQS refuses", kind: jsonKind, target: "AmazonSQS.GetQueueUrl", body: `{"QueueName":"none"}`, status: 400, errorType: "QueueDoesNotExist"},
		{name: "Kinesis", kind: jsonKind, target: "Kinesis_20131202.ListStreams", body: "{}", status: 200},
		{name: "Kinesis refuses", kind: jsonKind, target: "Kinesis_20131202.ListShards", body: `{"StreamName":"none"}`, status: 400, errorType: "ResourceNotFoundException"},
		{name: "no such operation", kind: jsonKind, target: "Kinesis_20131202.Sing", body: "{}", status: 400, errorType: "UnsupportedOperation"},
		{name: "no JSON", kind: jsonKind, target: "AmazonSQS.ListQueues", body: "{", status: 400, errorType: "SerializationException"},
		{name: "SNS", kind: formKind, body: "Action=ListTopics&Version=2010-03-31", status: 200},
		{name: "SNS refuses", kind: formKind, body: "Action=Publish&Version=2010-03-31&PhoneNumber=x", status: 400, errorType: "InvalidParameter"},
		{name: "STS", kind: formKind, body: "Action=GetCallerIdentity&Version=2011-06-15", status: 200},
		{name: "no form", kind: formKind, body: "a=%zz", status: 400, errorType: "MalformedQueryString"},
		{name: "another protocol", path: "/service/Kinesis/operation/ListStreams", kind: "application/cbor", body: "\xa0", status: 400, errorType: "UnsupportedProtocol"},
		{name: "a page", kind: jsonKind, target: "AmazonSQS.ListQueues", body: "{}", header: []string{"Origin", "http://evil.example"}, status: 403, errorType: "AccessDeniedException"},
		{name: "ready", method: "GET", path: "/readyz", status: 200},
		{name: "nowhere", method: "GET", path: "/nowhere", status: 405},
	} {
		t.Run(tc.name, func(t *testing.T) {
			method, path := "POST", "/"
			if tc.method != "" {
				method = tc.method
			}
			if tc.path != "" {
				path = tc.path
			}

			got := ask(t, http.DefaultClient, method, at.Endpoint+path, tc.kind, tc.target, []byte(tc.body), tc.header...)
			assert.Equal(t, tc.status, got.status, string(got.body))
			assert.Equal(t, tc.errorType, got.header.Get("x-amzn-ErrorType"))

			id := got.header.Get("x-amzn-RequestId")
			assert.Len(t, id, 36)
			assert.False(t, seen[id], "it is the id of another answer")
			seen[id] = true

			if got.header.Get("Content-Type") == "text/xml" {
				var in struct {
					ID string `xml:"ResponseMetadata>RequestId"`
				}
				require.NoError(t, xml.Unmarshal(got.body, &in))
				assert.Equal(t, id, in.ID, "the same in the body")
			}
		})
	}
}

// SQS's query protocol, of SDKs from before the end of 2023, comes to / or to the
// queue's URL. Its clients must be told what it is that fails.
func TestSQSsOlderProtocolIsNamed(t *testing.T) {
	at := testenv.Emulator(t)
	for _, path := range []string{"/", "/000000000000/ride-requests"} {
		got := ask(t, http.DefaultClient, "POST", at.Endpoint+path, formKind, "", []byte("Action=SendMessage&Version=2012-11-05&MessageBody=x"))
		require.Equal(t, 400, got.status)

		var in struct{ Code, Message string }
		require.NoError(t, xml.Unmarshal(got.body, &struct {
			Error any `xml:"Error"`
		}{&in}))
		require.Equal(t, "UnsupportedProtocol", in.Code)
		require.Contains(t, in.Message, "SendMessage is of SQS's older query protocol")
	}
}

// The SDK for Java speaks CBOR with Kinesis: data is bytes, a time milliseconds.
func TestKinesisInCBOR(t *testing.T) {
	at := testenv.Emulator(t)
	call := func(operation string, in map[string]any) (out map[string]any, a wireAnswer) {
		t.Helper()
		body, err := cbor.Marshal(in)
		require.NoError(t, err)
		a = ask(t, http.DefaultClient, "POST", at.Endpoint, cborKind, "Kinesis_20131202."+operation, body)
		require.Equal(t, cborKind, a.header.Get("Content-Type"))

		mode, err := cbor.DecOptions{TimeTagToAny: cbor.TimeTagToTime}.DecMode()
		require.NoError(t, err)
		require.NoError(t, mode.Unmarshal(a.body, &out))
		return out, a
	}
	ms := func(v any) time.Time {
		t.Helper()
		at, ok := v.(time.Time) // the tag, whose number the decoder takes for seconds
		require.True(t, ok, "%T", v)
		return time.UnixMilli(at.Unix())
	}

	before, data := time.Now().Truncate(time.Millisecond), []byte{0, 0xff, 'x'}
	put, _ := call("PutRecord", map[string]any{"StreamName": stream, "PartitionKey": "ключ", "Data": data})
	shard, _ := put["ShardId"].(string)
	require.NotEmpty(t, shard)

	it, _ := call("GetShardIterator", map[string]any{
		"StreamName": stream, "ShardId": shard, "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": cbor.Tag{Number: 1, Content: before.UnixMilli()},
	})
	page, _ := call("GetRecords", map[string]any{"ShardIterator": it["ShardIterator"], "Limit": 5})
	require.EqualValues(t, 0, page["MillisBehindLatest"])
	records, _ := page["Records"].([]any)
	require.Len(t, records, 1)
	record, _ := records[0].(map[any]any)
	require.Equal(t, data, record["Data"])
	require.Equal(t, "ключ", record["PartitionKey"])
	require.WithinRange(t, ms(record["ApproximateArrivalTimestamp"]), before, time.Now())

	refused, a := call("ListShards", map[string]any{"StreamName": "none"})
	require.Equal(t, "ResourceNotFoundException", refused["__type"])
	require.Equal(t, "ResourceNotFoundException", a.header.Get("x-amzn-ErrorType"))
	require.Equal(t, 400, a.status)
}

// With SQS nobody needs CBOR; whoever sends it learns what it is and how to turn
// it off.
func TestCBORElsewhereIsNamed(t *testing.T) {
	at := testenv.Emulator(t)
	got := ask(t, http.DefaultClient, "POST", at.Endpoint, cborKind, "AmazonSQS.ListQueues", []byte{0xa0})
	require.Equal(t, 400, got.status)
	require.Equal(t, "SerializationException", got.header.Get("x-amzn-ErrorType"))

	var in struct{ Message string }
	require.NoError(t, json.Unmarshal(got.body, &in))
	require.Contains(t, in.Message, "CBOR")
	require.Contains(t, in.Message, "AWS_CBOR_DISABLE=true")

	for _, bad := range []string{"", "\xff", "\xa1\x61", strings.Repeat("\x81", 100) + "\x01"} {
		got = ask(t, http.DefaultClient, "POST", at.Endpoint, cborKind, "Kinesis_20131202.ListStreams", []byte(bad))
		require.Equal(t, 400, got.status, "%x", bad)
		require.Equal(t, "SerializationException", got.header.Get("x-amzn-ErrorType"))
	}
}

// A text that is no Unicode can't be delivered as it was sent: encoding/json would
// put U+FFFD in its place.
func TestTextThatIsNoUnicodeIsRefused(t *testing.T) {
	at := testenv.Emulator(t)
	queue := `"QueueUrl":"` + at.Endpoint + `/000000000000/ride-requests"`
	for _, text := range []string{`a\ud83d`, `\udc00`, `\ud83d\ud83d`, `\ud83dx\ude00`, "\xff", "\xed\xa0\xbd"} {
		for target, tc := range map[string][2]string{
			"AmazonSQS.SendMessage":        {`{` + queue + `,"MessageBody":"` + text + `"}`, "InvalidMessageContents"},
			"AmazonSQS.SendMessageBatch":   {`{` + queue + `,"Entries":[{"Id":"1","MessageBody":"` + text + `"}]}`, "InvalidMessageContents"},
			"AmazonSQS.ListQueues":         {`{"QueueNamePrefix":"` + text + `"}`, "SerializationException"},
			"Kinesis_20131202.PutRecord":   {`{"StreamName":"` + stream + `","PartitionKey":"` + text + `","Data":"eA=="}`, "SerializationException"},
			"Kinesis_20131202.PutRecords":  {`{"StreamName":"` + stream + `","Records":[{"PartitionKey":"` + text + `","Data":"eA=="}]}`, "SerializationException"},
			"Kinesis_20131202.ListStreams": {`{"ExclusiveStartStreamName":"` + text + `"}`, "SerializationException"},
		} {
			got := ask(t, http.DefaultClient, "POST", at.Endpoint, jsonKind, target, []byte(tc[0]))
			assert.Equal(t, 400, got.status, "%s %q: %s", target, text, got.body)
			assert.Equal(t, tc[1], got.header.Get("x-amzn-ErrorType"), "%s %q", target, text)
		}
	}

	got := ask(t, http.DefaultClient, "POST", at.Endpoint, formKind, "", []byte("Action=Publish&PhoneNumber=%2B15555550100&Message=a%FF"))
	require.Equal(t, 400, got.status, string(got.body))
	require.Equal(t, "InvalidParameter", got.header.Get("x-amzn-ErrorType"))

	// Pairs, and an escaped backslash before a u, are whole texts.
	for _, text := range []string{`\ud83d\ude00`, `\\ud83d`, `\\\\ud83d`, `\ufffd`, "😀"} {
		got := ask(t, http.DefaultClient, "POST", at.Endpoint, jsonKind, "AmazonSQS.SendMessage", []byte(`{`+queue+`,"MessageBody":"`+text+`"}`))
		assert.Equal(t, 200, got.status, "%q: %s", text, got.body)
	}
}
