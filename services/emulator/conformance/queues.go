package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

func (s *suite) receive(t *testing.T, url string, wait int32, change ...func(*sqs.ReceiveMessageInput)) []types.Message {
	t.Helper()
	in := &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
	}
	for _, c := range change {
		c(in)
	}
	out, err := s.sqs.ReceiveMessage(t.Context(), in)
	require.NoError(t, err)
	return out.Messages
}

func bodies(messages []types.Message) (out []string) {
	for _, m := range messages {
		out = append(out, *m.Body)
	}
	return out
}

func (s *suite) remove(t *testing.T, url string, messages ...types.Message) {
	t.Helper()
	for _, m := range messages {
		_, err := s.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
		require.NoError(t, err)
	}
}

func (s *suite) arn(t *testing.T, url string) string {
	t.Helper()
	out, err := s.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	require.NoError(t, err)
	return out.Attributes["QueueArn"]
}

func visibility(seconds int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = seconds }
}

func queueCases() []kase {
	return []kase{
		{"send, receive, delete", sqsAPI + "API_ReceiveMessage.html", func(t *testing.T, s *suite) {
			url := s.queue(t, nil)
			_, err := s.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello"),
				MessageAttributes: map[string]types.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("x")}}})
			require.NoError(t, err)
			got := s.receive(t, url, 5)
			require.Equal(t, []string{"hello"}, bodies(got))
			require.Equal(t, "1", got[0].Attributes["ApproximateReceiveCount"])
			require.Equal(t, "x", *got[0].MessageAttributes["kind"].StringValue)
			require.Empty(t, s.receive(t, url, 0), "in flight")
			s.remove(t, url, got...)
			s.remove(t, url, got...) // a second delete is no error
		}},
		{"a message that is not deleted comes back", sqsGuide + "sqs-visibility-timeout.html", func(t *testing.T, s *suite) {
			url := s.queue(t, nil)
			s.send(t, url, "again")
			require.Len(t, s.receive(t, url, 5, visibility(1)), 1)
			got := s.receive(t, url, 10, visibility(1))
			require.Equal(t, "2", got[0].Attributes["ApproximateReceiveCount"])
			_, err := s.sqs.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0})
			require.NoError(t, err)
			require.Len(t, s.receive(t, url, 5), 1, "visibility 0 makes it visible at once")
		}},
		{"long polling answers as soon as a message is there", sqsGuide + "sqs-short-and-long-polling.html", func(t *testing.T, s *suite) {
			url := s.queue(t, nil)
			got := make(chan int, 1)
			began := time.Now()
			go func() { got <- len(s.receive(t, url, 20)) }()
			s.send(t, url, "now")
			require.Equal(t, 1, <-got)
			require.Less(t, time.Since(began), 10*time.Second)
		}},
		{"a delay hides a message", sqsGuide + "sqs-delay-queues.html", func(t *testing.T, s *suite) {
			url := s.queue(t, nil)
			_, err := s.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("later"), DelaySeconds: 2})
			require.NoError(t, err)
			require.Empty(t, s.receive(t, url, 0))
			require.Len(t, s.receive(t, url, 10), 1)
		}},
		{"after maxReceiveCount a message is dead, and can be moved back", sqsGuide + "sqs-dead-letter-queues.html", func(t *testing.T, s *suite) {
			dead := s.queue(t, map[string]string{"VisibilityTimeout": "0"})
			url := s.queue(t, map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, s.arn(t, dead))})
			s.send(t, url, "poison")
			for range 2 {
				require.Len(t, s.receive(t, url, 10), 1)
			}
			var got []types.Message
			require.Eventually(t, func() bool {
				require.Empty(t, s.receive(t, url, 0))
				got = s.receive(t, dead, 1)
				return len(got) == 1
			}, 20*time.Second, 50*time.Millisecond)
			require.Equal(t, s.arn(t, url), got[0].Attributes["DeadLetterQueueSourceArn"])
			_, err := s.sqs.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(s.arn(t, dead))})
			require.NoError(t, err)
			require.Equal(t, []string{"poison"}, bodies(s.receive(t, url, 10)))
		}},
		{"a FIFO group is in order, one in flight at a time", sqsGuide + "FIFO-queues-understanding-logic.html", func(t *testing.T, s *suite) {
			url := s.queue(t, map[string]string{"FifoQueue": "true"})
			s.send(t, url, "a1", "b1", "a2", "b2")
			first := s.receive(t, url, 5, func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = 1 })
			require.Equal(t, []string{"a1"}, bodies(first))
			others := s.receive(t, url, 5)
			require.Equal(t, []string{"b1", "b2"}, bodies(others), "group a waits for a1")
			require.Empty(t, s.receive(t, url, 0))
			s.remove(t, url, first...)
			require.Equal(t, []string{"a2"}, bodies(s.receive(t, url, 5)))
		}},
		{"a deduplication id is taken once in five minutes", sqsGuide + "using-messagededuplicationid-property.html", func(t *testing.T, s *suite) {
			url := s.queue(t, map[string]string{"FifoQueue": "true"})
			var ids []string
			for range 2 {
				out, err := s.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("once"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("same")})
				require.NoError(t, err)
				ids = append(ids, *out.MessageId)
			}
			require.Equal(t, ids[0], ids[1])
			require.Len(t, s.receive(t, url, 5), 1)
		}},
		{"batches: ten at most, ids distinct, each entry by itself", sqsAPI + "API_SendMessageBatch.html", func(t *testing.T, s *suite) {
			url := s.queue(t, nil)
			entries := func(n int) (out []types.SendMessageBatchRequestEntry) {
				for i := range n {
					out = append(out, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String("m")})
				}
				return out
			}
			send := func(e []types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
				return s.sqs.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: e})
			}
			_, err := send(entries(11))
			requireCode(t, err, "TooManyEntriesInBatchRequest")
			same := entries(2)
			same[1].Id = same[0].Id
			_, err = send(same)
			requireCode(t, err, "BatchEntryIdsNotDistinct")
			mixed := entries(3)
			mixed[1].DelaySeconds = 901
			out, err := send(mixed)
			require.NoError(t, err)
			require.Len(t, out.Successful, 2)
			require.Len(t, out.Failed, 1)
			require.Equal(t, "1", *out.Failed[0].Id)
		}},
		{"a message has at most 1 MiB", sqsGuide + "quotas-messages.html", func(t *testing.T, s *suite) {
			url := s.queue(t, nil)
			s.send(t, url, strings.Repeat("x", 1<<20))
			_, err := s.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(strings.Repeat("x", 1<<20+1))})
			requireCode(t, err, "InvalidParameterValue")
		}},
		{"what does not exist, what is not in flight", sqsAPI + "API_ChangeMessageVisibility.html", func(t *testing.T, s *suite) {
			_, err := s.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(unique("none"))})
			var none *types.QueueDoesNotExist
			require.ErrorAs(t, err, &none)
			url := s.queue(t, nil)
			_, err = s.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: aws.String("nonsense")})
			requireCode(t, err, "ReceiptHandleIsInvalid")
		}},
		{"counts", sqsAPI + "API_GetQueueAttributes.html", func(t *testing.T, s *suite) {
			url := s.queue(t, nil)
			s.send(t, url, "1", "2", "3")
			_, err := s.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("4"), DelaySeconds: 60})
			require.NoError(t, err)
			require.Len(t, s.receive(t, url, 5, func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = 1 }), 1)
			require.Eventually(t, func() bool {
				out, err := s.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
				require.NoError(t, err)
				a := out.Attributes
				return slices.Equal([]string{"2", "1", "1"}, []string{a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"], a["ApproximateNumberOfMessagesDelayed"]})
			}, 20*time.Second, 50*time.Millisecond)
		}},
	}
}
