package emulator

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/localstack"
)

const queueAndFunctions = `
Parameters:
  Name: {Type: String, Default: work}
  Wait: {Type: Number, Default: 3, MinValue: 0, MaxValue: 20}
Resources:
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Work]
      PolicyDocument: {Statement: [{Effect: Allow, Resource: {"Fn::GetAtt": [Work, Arn]}}]}
  Work:
    Type: AWS::SQS::Queue
    DependsOn: Other
    Properties:
      QueueName: !Sub "${Name}-queue"
      ReceiveMessageWaitTimeSeconds: {Ref: Wait}
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
  Dead:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: dead
      RedriveAllowPolicy:
        redrivePermission: byQueue
        sourceQueueArns: [{"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Name}-queue"}]
  Other: {Type: "AWS::SQS::Queue", Properties: {QueueName: other}}
`

func TestTemplateIsWorkedOut(t *testing.T) {
	tpl, err := readTemplate([]byte(queueAndFunctions), map[string]string{"Wait": "20"})
	require.NoError(t, err)
	order := []string{}
	for _, r := range tpl.resources {
		order = append(order, r.id)
	}
	require.Equal(t, []string{"Work", "Dead", "Other", "Policy"}, order, "what is referred to comes first")

	p, err := tpl.properties(tpl.byID["Work"])
	require.NoError(t, err)
	require.Equal(t, "work-queue", p.text("QueueName"))
	require.Equal(t, "20", p.text("ReceiveMessageWaitTimeSeconds"))
	require.JSONEq(t, `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":2}`, p.text("RedrivePolicy"))

	p, err = tpl.properties(tpl.byID["Dead"])
	require.NoError(t, err)
	require.JSONEq(t, `{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:work-queue"]}`, p.text("RedriveAllowPolicy"))
	p, err = tpl.properties(tpl.byID["Policy"])
	require.NoError(t, err)
	require.JSONEq(t, `{"Statement":[{"Effect":"Allow","Resource":"arn:aws:sqs:us-east-1:000000000000:work-queue"}]}`, p.text("PolicyDocument"))
}

// A template that is not understood is refused, by the name of what is not.
func TestTemplateIsRefusedByName(t *testing.T) {
	queue := func(properties string) string {
		return "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: q, " + properties + "}}}"
	}
	for template, says := range map[string]string{
		"":                    "empty",
		"[]":                  "names with values",
		"Resources: {}":       "no Resources",
		"Transform: x":        "Transform: the emulator does not know it",
		"Conditions: {A: {}}": "Conditions",
		"Resources: {T: {Type: AWS::DynamoDB::Table}}":          `T: the emulator does not know the type "AWS::DynamoDB::Table"`,
		"Resources: {Q: {Type: AWS::SQS::Queue, Condition: A}}": "Q: Condition",
		"Resources: {Q: {Type: AWS::SQS::Queue}}":               "Q: the emulator needs its QueueName",
		queue("Tags: []"):                                            "Q: AWS::SQS::Queue: Tags: the emulator does not know it",
		queue("DelaySeconds: 1, DelaySeconds: 2"):                    "named twice",
		queue("DelaySeconds: !Ref Nothing"):                          "!Ref Nothing names no parameter and no resource",
		queue("DelaySeconds: !ImportValue x"):                        "ImportValue",
		queue("DelaySeconds: !GetAtt Q.Colour"):                      "does not know this attribute",
		queue("RedrivePolicy: {deadLetterTargetArn: !GetAtt D.Arn}"): "!GetAtt D.Arn names no resource",
		queue(`DelaySeconds: !Sub "${R.Arn}"`):                       "!GetAtt R.Arn names no resource",
		"Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt R.Arn}}, R: {Type: AWS::SQS::Queue, Properties: {QueueName: r}}}": "names no resource",
		"Parameters: {A: {Type: Number}}\n" + queue(""):                                                                "A: it has no Default and was not given",
		"Parameters: {A: {Type: Number, Default: 9, MaxValue: 8}}\n" + queue(""):                                       "9 is above its MaxValue, 8",
		"Parameters: {A: {Type: Number, Default: -9, MinValue: 8}}\n" + queue(""):                                      "-9 is below its MinValue, 8",
		"Parameters: {A: {Type: CommaDelimitedList, Default: a}}\n" + queue(""):                                        `the type "CommaDelimitedList" is not known`,
		"Parameters: {A: {Type: String, Default: a, NoEcho: true}}\n" + queue(""):                                      "NoEcho",
		queue("DelaySeconds: 1") + "\nOutputs: {A: {Value: !Ref B}}":                                                   "A: !Ref B names no parameter",
		"Resources: {S: {Type: AWS::Kinesis::Stream, Properties: {Name: s, ShardCount: 1, RetentionPeriodHours: *x}}}": "",
	} {
		_, err := readTemplate([]byte(template), nil)
		require.ErrorContains(t, err, "template: ", template)
		require.ErrorContains(t, err, says, template)
	}

	_, err := readTemplate(localstack.Messaging, map[string]string{"Shard": "4"})
	require.ErrorContains(t, err, "there is no parameter Shard")
	_, err = readTemplate(localstack.Messaging, map[string]string{"Shards": "many"})
	require.ErrorContains(t, err, "no whole number")
}

// What is understood, but impossible, is refused when it is created.
func TestTemplateIsRefusedWhenMade(t *testing.T) {
	stream := func(properties string) string {
		return "Resources: {S: {Type: AWS::Kinesis::Stream, Properties: {Name: s, " + properties + "}}}"
	}
	for template, says := range map[string]string{
		stream("ShardCount: many"):                                                             "ShardCount",
		stream("StreamModeDetails: {StreamMode: ON_DEMAND}"):                                   "PROVISIONED alone",
		stream("StreamEncryption: {Kind: KMS}"):                                                "Kind: the emulator does not know it",
		stream("StreamEncryption: KMS"):                                                        "names with values",
		"Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: q, FifoQueue: true}}}": "ends with .fifo",
		"Resources: {C: {Type: AWS::Kinesis::StreamConsumer, Properties: {ConsumerName: c, StreamARN: \"arn:x/none\"}}}": "none",
		"Resources: {P: {Type: AWS::SQS::QueuePolicy, Properties: {PolicyDocument: {}, Queues: [x]}}}":                   "does not exist",
		"Resources: {P: {Type: AWS::SQS::QueuePolicy, Properties: {PolicyDocument: {}}}}":                                "no Queues",
	} {
		e, err := open(slog.New(slog.DiscardHandler), Config{Template: []byte(template)})
		if err == nil {
			require.NoError(t, e.close())
		}
		require.ErrorContains(t, err, says, template)
	}
}

// A second start with other parameters brings the queues to them.
func TestTemplateIsAppliedAgain(t *testing.T) {
	dir := t.TempDir()
	for _, seconds := range []string{"30", "45"} {
		e, err := open(slog.New(slog.DiscardHandler), Config{DataDir: dir, Parameters: map[string]string{"RideRequestVisibilitySeconds": seconds}})
		require.NoError(t, err)

		get := e.queues.Ops(func(context.Context) string { return "" })["GetQueueAttributes"]
		out, err := get(t.Context(), []byte(`{"QueueUrl":"/ride-requests","AttributeNames":["VisibilityTimeout"]}`))
		require.NoError(t, err)
		require.Equal(t, map[string]any{"Attributes": map[string]string{"VisibilityTimeout": seconds}}, out)
		require.NoError(t, e.close())
	}
}

// FuzzTemplate reads any template; making it is left out: it makes files.
func FuzzTemplate(f *testing.F) {
	f.Add(string(localstack.Messaging))
	f.Add(queueAndFunctions)
	f.Add("Resources: {A: &a {Type: *a, Properties: !Sub [a, {b: c}]}}")
	f.Fuzz(func(t *testing.T, template string) {
		tpl, err := readTemplate([]byte(template), nil)
		if err != nil {
			return
		}
		require.Len(t, tpl.resources, len(tpl.byID))

		for _, r := range tpl.resources {
			_, err := tpl.properties(r)
			require.NoError(t, err)
		}
	})
}
