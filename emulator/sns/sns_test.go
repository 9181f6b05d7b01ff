package sns_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"tandem/emulator/sns"
	"tandem/emulator/sqs"
	"tandem/emulator/wire"
	"tandem/services/test/testaws"
)

const queueARN = "arn:aws:sqs:us-east-1:000000000000:"

type delivered struct {
	queue, body, group string
	attributes         map[string]sqs.Attribute
}

// bench is a Service with a client, and the queues that it delivers to.
type bench struct {
	*sns.Service
	*sdk.Client
	url       string
	delivered []delivered
	err       error // of the next deliveries
}

func start(t *testing.T, path string) *bench {
	t.Helper()
	b := &bench{}
	var err error
	b.Service, err = sns.Open(sns.Options{Path: path, Fsync: true, Log: slog.New(slog.DiscardHandler),
		Deliver: func(_ context.Context, queue, body, group string, attributes map[string]sqs.Attribute) error {
			if b.err == nil {
				b.delivered = append(b.delivered, delivered{strings.TrimPrefix(queue, queueARN), body, group, attributes})
			}
			return b.err
		}})
	require.NoError(t, err)

	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_aws") {
			b.Texts(w, r)
			return
		}

		if r.ParseForm() != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}

		b.Serve(w, r)
	}))
	t.Cleanup(srv.Close)
	cfg, err := testaws.Config(t.Context(), srv.URL, "")
	require.NoError(t, err)

	b.url, b.Client = srv.URL, sdk.NewFromConfig(cfg, func(o *sdk.Options) { o.Retryer = aws.NopRetryer{} })
	return b
}

func (b *bench) topic(t *testing.T, queues map[string]bool) *string {
	t.Helper()
	created, err := b.Client.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: aws.String("work")})
	require.NoError(t, err)
	out := created.TopicArn

	for q, raw := range queues {
		in := &sdk.SubscribeInput{TopicArn: out, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN + q)}
		if raw {
			in.Attributes = map[string]string{"RawMessageDelivery": "true"}
		}

		_, err := b.Client.Subscribe(t.Context(), in)
		require.NoError(t, err)
	}
	return out
}

func requireCode(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode())
	require.Contains(t, api.ErrorMessage(), text)
}

func message() (text string, attributes map[string]types.MessageAttributeValue) {
	return "5 < 7 & \"ü\"\n", map[string]types.MessageAttributeValue{
		"kind": {DataType: aws.String("String"), StringValue: aws.String("a&b")},
		"raw":  {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
		"n":    {DataType: aws.String("Number"), StringValue: aws.String("5")},
	}
}

func TestPublishDeliversRawAndInTheEnvelope(t *testing.T) {
	b := start(t, "")
	arn := b.topic(t, map[string]bool{"plain": false, "raw": true})
	text, attributes := message()
	out, err := b.Publish(t.Context(), &sdk.PublishInput{TopicArn: arn, Message: &text, Subject: aws.String("s"), MessageAttributes: attributes, MessageGroupId: aws.String("g")})
	require.NoError(t, err)
	require.Len(t, b.delivered, 2)

	for _, d := range b.delivered {
		require.Equal(t, "g", d.group)
		if d.queue == "raw" {
			require.Equal(t, text, d.body)
			require.Equal(t, map[string]sqs.Attribute{
				"kind": {DataType: "String", StringValue: "a&b"}, "raw": {DataType: "Binary", BinaryValue: []byte{0, 255}}, "n": {DataType: "Number", StringValue: "5"},
			}, d.attributes)
			continue
		}
		require.Empty(t, d.attributes)

		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(d.body), &got))
		require.Equal(t, "Notification", got["Type"])
		require.Equal(t, *out.MessageId, got["MessageId"])
		require.Equal(t, *arn, got["TopicArn"])
		require.Equal(t, text, got["Message"])
		require.Equal(t, "s", got["Subject"])
		require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, got["Timestamp"])
		require.Equal(t, map[string]any{
			"kind": map[string]any{"Type": "String", "Value": "a&b"}, "raw": map[string]any{"Type": "Binary", "Value": "AP8="}, "n": map[string]any{"Type": "Number", "Value": "5"},
		}, got["MessageAttributes"])
	}
}

func TestAStructuredMessageHasOneTextForEachProtocol(t *testing.T) {
	b := start(t, "")
	arn := b.topic(t, map[string]bool{"raw": true})
	publish := func(text string) error {
		_, err := b.Publish(t.Context(), &sdk.PublishInput{TopicArn: arn, Message: &text, MessageStructure: aws.String("json")})
		return err
	}
	require.NoError(t, publish(`{"default":"d","sqs":"for queues"}`))
	require.NoError(t, publish(`{"default":"d","sms":"short"}`))
	require.Equal(t, "for queues", b.delivered[0].body)
	require.Equal(t, "d", b.delivered[1].body)

	requireCode(t, publish(`{"sqs":"x"}`), "InvalidParameter", "No default entry")
	requireCode(t, publish(`{`), "InvalidParameter", "failed to parse")
}

// A queue that was deleted loses its copy; a queue that failed makes the publisher
// try again.
func TestACopyThatCannotBeDelivered(t *testing.T) {
	b := start(t, "")
	arn := b.topic(t, map[string]bool{"gone": true})
	publish := func() error {
		_, err := b.Publish(t.Context(), &sdk.PublishInput{TopicArn: arn, Message: aws.String("x")})
		return err
	}

	b.err = wire.Bad("QueueDoesNotExist", "gone")
	require.NoError(t, publish())
	b.err = errors.New("the disk is full")
	requireCode(t, publish(), "InternalError", "the disk is full")
}

func TestPublishRefuses(t *testing.T) {
	b := start(t, "")
	arn := b.topic(t, nil)
	str := aws.String
	attribute := func(a types.MessageAttributeValue) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"a": a}
	}

	for _, c := range []struct {
		in         sdk.PublishInput
		code, text string
	}{
		{sdk.PublishInput{TopicArn: arn, Message: str("")}, "InvalidParameter", "Empty message"},
		{sdk.PublishInput{TopicArn: arn, Message: str("\xff")}, "InvalidParameter", "UTF-8"},
		{sdk.PublishInput{Message: str("x")}, "InvalidParameter", "at least 6 elements"},
		{sdk.PublishInput{TopicArn: str(*arn + "x"), Message: str("x")}, "NotFound", "Topic does not exist"},
		{sdk.PublishInput{TopicArn: arn, Message: str(strings.Repeat("x", 256<<10+1))}, "InvalidParameter", "Message too long"},
		{sdk.PublishInput{TopicArn: arn, Message: str("x"), Subject: str(strings.Repeat("x", 101))}, "InvalidParameter", "Subject"},
		{sdk.PublishInput{TopicArn: arn, Message: str("x"), MessageStructure: str("xml")}, "InvalidParameter", "MessageStructure"},
		{sdk.PublishInput{TopicArn: arn, Message: str("x"), MessageAttributes: attribute(types.MessageAttributeValue{DataType: str("Colour"), StringValue: str("v")})}, "ParameterValueInvalid", "Binary, Number, and String"},
		{sdk.PublishInput{TopicArn: arn, Message: str("x"), MessageAttributes: attribute(types.MessageAttributeValue{DataType: str("String")})}, "ParameterValueInvalid", "non-empty"},
		{sdk.PublishInput{PhoneNumber: str("+15551234567"), TopicArn: arn, Message: str("x")}, "InvalidParameter", "not both"},
		{sdk.PublishInput{PhoneNumber: str("5551234567x"), Message: str("x")}, "InvalidParameter", "is not valid to publish to"},
		{sdk.PublishInput{PhoneNumber: str("+15551234567"), Message: str(strings.Repeat("ü", 1601))}, "InvalidParameter", "Message too long"},
	} {
		_, err := b.Publish(t.Context(), &c.in)
		requireCode(t, err, c.code, c.text)
	}

	_, err := b.Publish(t.Context(), &sdk.PublishInput{TopicArn: arn, Message: str(strings.Repeat("x", 256<<10))})
	require.NoError(t, err, "256 KB is the limit, not beyond it")
}
