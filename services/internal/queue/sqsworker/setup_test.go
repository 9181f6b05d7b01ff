package sqsworker

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

// fake is an SQS with one queue, as the worker wants it, and its dead-letter queue.
type fake struct {
	*sqstest.SQS
	q        *sqstest.Queue
	name     string
	settings sqstest.Settings
}

func newFake(fifo bool) *fake {
	suffix := ""
	if fifo {
		suffix = fifoSuffix
	}
	f := &fake{
		SQS: sqstest.New(), name: "q" + suffix,
		settings: sqstest.Settings{Visibility: maxVisibility, DeadLetterQueue: "q-dlq" + suffix, MaxReceives: 10},
	}
	f.q = f.Queue(f.name, f.settings)
	return f
}

// sendWith sends a message that has attributes, to a group unless it is empty.
func (f *fake) sendWith(t *testing.T, group, body string, attributes map[string]types.MessageAttributeValue) {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: aws.String(f.q.URL()), MessageBody: &body, MessageAttributes: attributes}
	if group != "" {
		in.MessageGroupId = &group
	}
	if f.name != "q" {
		in.MessageDeduplicationId = &body
	}
	_, err := f.SendMessage(t.Context(), in)
	require.NoError(t, err)
}

// deletes are the sizes of the delete batches that SQS has answered.
func (f *fake) deletes() (sizes []int) {
	for _, c := range f.Calls("DeleteMessageBatch") {
		if c.Output != nil {
			sizes = append(sizes, len(c.Entries))
		}
	}
	return sizes
}

// visible returns when a message that is hidden is visible again.
func (f *fake) visible() time.Time { return f.q.Messages()[0].HiddenUntil }
