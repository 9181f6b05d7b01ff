package emulator_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/services/test/testaws"
)

const fanOut = `
Resources:
  Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: news}}
  Raw: {Type: "AWS::SQS::Queue", Properties: {QueueName: raw}}
  Plain: {Type: "AWS::SQS::Queue", Properties: {QueueName: plain}}
  ToRaw: {Type: "AWS::SNS::Subscription", Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Raw.Arn, RawMessageDelivery: true}}
  ToPlain: {Type: "AWS::SNS::Subscription", Properties: {TopicArn: !GetAtt Topic.TopicArn, Protocol: sqs, Endpoint: !GetAtt Plain.Arn}}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Raw, !Ref Plain]
      PolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: "*"}]}
`

// run serves an emulator of the template until stop is called.
func run(t *testing.T, dir, template string) (cfg aws.Config, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)

	go func() {
		ended <- emulator.Run(ctx, l, slog.New(slog.DiscardHandler), emulator.Config{DataDir: dir, Template: []byte(template)})
	}()
	cfg, err = testaws.Config(t.Context(), "http://"+l.Addr().String(), "")
	require.NoError(t, err)
	return cfg, func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

// A topic of the template delivers to queues of the template, the second time
// round as well as the first.
func TestATopicDeliversToQueues(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		cfg, stop := run(t, dir, fanOut)
		topics, queues := sns.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
		_, err := topics.Publish(t.Context(), &sns.PublishInput{
			TopicArn: aws.String("arn:aws:sns:us-east-1:000000000000:news"), Message: aws.String("<hello>"),
			MessageAttributes: map[string]snstypes.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("greeting")}},
		})
		require.NoError(t, err)

		one := func(queue string) string {
			// The client checks the MD5s of body and attributes.
			out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("/" + queue), MessageAttributeNames: []string{"All"}, MaxNumberOfMessages: 10})
			require.NoError(t, err)
			require.Len(t, out.Messages, 1, "one subscription, one copy")

			if queue == "raw" {
				require.Equal(t, "greeting", *out.Messages[0].MessageAttributes["kind"].StringValue)
			}
			_, err = queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String("/" + queue), ReceiptHandle: out.Messages[0].ReceiptHandle})
			require.NoError(t, err)
			return *out.Messages[0].Body
		}
		require.Equal(t, "<hello>", one("raw"))

		var envelope struct{ Type, Message string }
		require.NoError(t, json.Unmarshal([]byte(one("plain")), &envelope))
		require.Equal(t, "Notification", envelope.Type)
		require.Equal(t, "<hello>", envelope.Message)

		policy, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String("/raw"), AttributeNames: []sqstypes.QueueAttributeName{"Policy"}})
		require.NoError(t, err)
		require.Contains(t, policy.Attributes["Policy"], "sns.amazonaws.com")
		stop()
	}
}
