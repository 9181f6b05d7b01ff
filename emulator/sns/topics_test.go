package sns_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"tandem/emulator/sns"
)

func TestTopicsAndSubscriptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "topics.json")
	b := start(t, path)
	arn := b.topic(t, map[string]bool{"raw": true})
	require.Equal(t, "arn:aws:sns:us-east-1:000000000000:work", *arn)

	again := b.topic(t, map[string]bool{"raw": true})
	require.Equal(t, arn, again)
	subscriptions := func() []sns.LookSubscription { return b.Look()[0].Subscriptions }
	require.Equal(t, []sns.LookSubscription{{Queue: queueARN + "raw", Raw: true}}, subscriptions(), "the same again is the same subscription")

	sub, err := b.Service.Subscribe(*arn, "sqs", queueARN+"raw", nil)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(sub, *arn+":"))

	b = start(t, path) // after a crash
	require.Equal(t, []sns.LookSubscription{{Queue: queueARN + "raw", Raw: true}}, subscriptions())
	for range 2 { // forgetting what is forgotten is no error
		_, err = b.Unsubscribe(t.Context(), &sdk.UnsubscribeInput{SubscriptionArn: &sub})
		require.NoError(t, err)
	}
	require.Empty(t, subscriptions())

	for range 2 {
		_, err = b.DeleteTopic(t.Context(), &sdk.DeleteTopicInput{TopicArn: arn})
		require.NoError(t, err)
	}

	topics, err := b.ListTopics(t.Context(), &sdk.ListTopicsInput{})
	require.NoError(t, err)
	require.Empty(t, topics.Topics)
}

func TestTopologyRefuses(t *testing.T) {
	b := start(t, "")
	arn := b.topic(t, map[string]bool{"raw": true})
	for _, name := range []string{"a b", "", "work.fifo"} {
		_, err := b.Service.CreateTopic(name, nil)
		require.Error(t, err, name)
	}

	_, err := b.Client.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: aws.String("f"), Attributes: map[string]string{"FifoTopic": "true"}})
	requireCode(t, err, "InvalidParameter", "no FIFO topics")
	_, err = b.Client.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: aws.String("work"), Attributes: map[string]string{"DisplayName": "other"}})
	requireCode(t, err, "InvalidParameter", "does not know DisplayName")
	subscribe := func(protocol, endpoint string, attributes ...string) error {
		in := &sdk.SubscribeInput{TopicArn: arn, Protocol: &protocol, Endpoint: &endpoint, Attributes: map[string]string{}}

		for _, a := range attributes {
			k, v, _ := strings.Cut(a, "=")
			in.Attributes[k] = v
		}

		_, err := b.Client.Subscribe(t.Context(), in)
		return err
	}
	requireCode(t, subscribe("email", "a@example.com"), "InvalidParameter", `not to "email"`)
	requireCode(t, subscribe("sqs", "queue"), "InvalidParameter", "SQS endpoint ARN")
	requireCode(t, subscribe("sqs", queueARN+"q.fifo"), "InvalidParameter", "FIFO SQS Queues can not be subscribed")
	requireCode(t, subscribe("sqs", queueARN+"q", "RawMessageDelivery=maybe"), "InvalidParameter", "Must be true or false")
	requireCode(t, subscribe("sqs", queueARN+"q", "FilterPolicy={}"), "InvalidParameter", "FilterPolicy")
	requireCode(t, subscribe("sqs", queueARN+"raw", "RawMessageDelivery=false"), "InvalidParameter", "different attributes")

	_, err = b.ListPhoneNumbersOptedOut(t.Context(), &sdk.ListPhoneNumbersOptedOutInput{})
	requireCode(t, err, "UnsupportedOperation", "ListPhoneNumbersOptedOut")
}

func TestAFileThatIsNotOursIsRefused(t *testing.T) {
	for text, says := range map[string]string{"{": "cannot be read", `{"format":2,"topics":{}}`: "another format", "null": "another format"} {
		path := filepath.Join(t.TempDir(), "topics.json")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := sns.Open(sns.Options{Path: path})
		require.ErrorContains(t, err, says, text)
	}
}
