package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/stretchr/testify/require"
)

func snsCases() []testCase {
	publish, raw := snsAPI+"API_Publish.html", snsGuide+"sns-large-payload-raw-message-delivery.html"
	return []testCase{
		promise("a text message is sent", publish, "PhoneNumber: the number to which to deliver an SMS message, in E.164 format; a MessageId is answered.", sendSMS),
		promise("what was sent can be read", publish, "Publish sends a message to a phone; there is no way to read it back but the phone.", readSMS),
		promise("a topic that doesn't exist is refused", publish, "NotFound: the requested resource does not exist, status 404.", noTopic),
		promise("a topic's message comes to a queue as it is", raw, "With RawMessageDelivery the body is the message.", rawDelivery),
		promise("attributes of a raw message are the queue message's", raw, "With raw delivery the attributes are passed as message attributes of the queue's message.", rawAttributes),
		promise("without raw delivery the message is wrapped", snsGuide+"sns-sqs-as-subscriber.html", "A JSON document with Type, MessageId, TopicArn, Message, Timestamp.", wrapped),
	}
}

func snsRefusals() []refusal {
	publish := snsAPI + "API_Publish.html"
	parameter := codes{"InvalidParameter", "InvalidParameterValue"}

	return []refusal{
		{publish, "InvalidParameter: a request parameter does not comply with the associated constraints; PhoneNumber is in E.164 format.",
			"Publish refuses PhoneNumber %s", nil, refuses{"nonsense", "+", "0", "+1 555 a"}, parameter, publishTo},
		{publish, "TopicArn, TargetArn or PhoneNumber must be given.",
			"Publish without a topic refuses PhoneNumber %s", nil, refuses{""}, parameter, publishTo},
		{publish, "Messages must be UTF-8 encoded strings; the message isn't empty.",
			"Publish refuses Message %s", nil, refuses{""}, parameter, publishMessage},
	}
}

func publishTo(c *caseRun, value string) error {
	in := &sns.PublishInput{Message: ptr("x")}
	if value != "" {
		in.PhoneNumber = &value
	}

	_, err := c.sns.Publish(c.ctx, in)
	return err
}

func publishMessage(c *caseRun, value string) error {
	_, err := c.text("+15555550100", value)
	return err
}

func (c *caseRun) text(phone, message string) (*sns.PublishOutput, error) {
	return c.sns.Publish(c.ctx, &sns.PublishInput{PhoneNumber: &phone, Message: &message})
}

func sendSMS(c *caseRun) {
	out, err := c.text("+15555550100", "your car is here")
	require.NoError(c, err)
	require.NotEmpty(c, *out.MessageId)
}

func readSMS(c *caseRun) {
	// A number of its own: the list of what was sent is the whole endpoint's.
	phone := fmt.Sprintf("+1555%07d", rand.IntN(10_000_000))
	_, err := c.text(phone, "your car is here")
	require.NoError(c, err)

	req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.at.Endpoint+"/_aws/sns/sms-messages", nil)
	require.NoError(c, err)

	resp, err := http.DefaultClient.Do(req)
	require.NoError(c, err)
	defer func() { _ = resp.Body.Close() }()

	var got struct {
		Messages map[string][]struct {
			Message *string `json:"Message"`
		} `json:"sms_messages"`
	}
	require.NoError(c, json.NewDecoder(resp.Body).Decode(&got))

	require.Len(c, got.Messages[phone], 1)
	require.Equal(c, "your car is here", *got.Messages[phone][0].Message)
}

func noTopic(c *caseRun) {
	arn := c.topic()
	_, err := c.sns.Publish(c.ctx, &sns.PublishInput{TopicArn: ptr(arn + "none"), Message: ptr("x")})
	c.refused(err, "NotFound", "NotFoundException")
}

// topic creates a topic.
func (c *caseRun) topic() (arn string) {
	name := unique("conformance")
	out, err := c.sns.CreateTopic(c.ctx, &sns.CreateTopicInput{Name: &name})
	require.NoError(c, err)
	c.cleanup(func(ctx context.Context) {
		_, _ = c.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: out.TopicArn})
	})

	return *out.TopicArn
}

// subscribed is a topic with a queue.
func (c *caseRun) subscribed(attributes ...string) (topic, url string) {
	url, topic = c.queue(), c.topic()
	queue := c.arn(url)
	if c.at.Backend == AWS { // only there are policies looked at
		require.NoError(c, c.set(url, "Policy", fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q,"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, queue, topic)))
	}

	out, err := c.sns.Subscribe(c.ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: ptr("sqs"), Endpoint: &queue, Attributes: pairs(attributes...), ReturnSubscriptionArn: true})
	require.NoError(c, err)
	c.cleanup(func(ctx context.Context) {
		_, _ = c.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: out.SubscriptionArn})
	})

	return topic, url
}

func rawDelivery(c *caseRun) {
	topic, url := c.subscribed("RawMessageDelivery", "true")
	_, err := c.sns.Publish(c.ctx, &sns.PublishInput{TopicArn: &topic, Message: ptr("as it is")})
	require.NoError(c, err)
	require.Equal(c, "as it is", *c.receiveOne(url).Body)
}

func rawAttributes(c *caseRun) {
	topic, url := c.subscribed("RawMessageDelivery", "true")
	_, err := c.sns.Publish(c.ctx, &sns.PublishInput{TopicArn: &topic, Message: ptr("x"), MessageAttributes: map[string]types.MessageAttributeValue{
		"kind": {DataType: ptr("String"), StringValue: ptr("ride")}, "n": {DataType: ptr("Number"), StringValue: ptr("5")},
	}})
	require.NoError(c, err)

	got := c.receiveOne(url).MessageAttributes
	require.Len(c, got, 2)
	require.Equal(c, "ride", *got["kind"].StringValue)
	require.Equal(c, "Number", *got["n"].DataType)
}

func wrapped(c *caseRun) {
	topic, url := c.subscribed()
	_, err := c.sns.Publish(c.ctx, &sns.PublishInput{TopicArn: &topic, Message: ptr("inside")})
	require.NoError(c, err)

	var got struct{ Type, MessageID, TopicArn, Message, Timestamp string }
	require.NoError(c, json.Unmarshal([]byte(*c.receiveOne(url).Body), &got))

	require.Equal(c, "Notification", got.Type)
	require.Equal(c, "inside", got.Message)
	require.Equal(c, topic, got.TopicArn)
	require.NotEmpty(c, got.MessageID)
	require.NotEmpty(c, got.Timestamp)
}
