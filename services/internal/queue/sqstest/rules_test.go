package sqstest_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

// client is what the rules are asked of: the fake and, in tandem_test.go, the emulator
// behind the SDK's own client.
type client interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
}

var (
	_ client = (*sqs.Client)(nil)
	_ client = (*sqstest.SQS)(nil)
)

// backend is one SQS while a rule is asked of it.
type backend struct {
	client
	t      require.TestingT
	create func(name string, s sqstest.Settings) (url string)
}

func fakeBackend(t require.TestingT) backend {
	f := sqstest.New()
	return backend{f, t, func(name string, s sqstest.Settings) string { return f.Queue(name, s).URL() }}
}

// on is a queue of a backend. Its methods want no error.
type on struct {
	backend
	url string
}

func (b backend) queue(name string, s sqstest.Settings) on { return on{b, b.create(name, s)} }

func (q on) send(body string, change ...func(*sqs.SendMessageInput)) {
	in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body}
	for _, c := range change {
		c(in)
	}
	_, err := q.SendMessage(context.Background(), in)
	require.NoError(q.t, err)
}

// to sends to a group, with body for the deduplication id or another.
func to(group string, id ...string) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) {
		in.MessageGroupId, in.MessageDeduplicationId = &group, in.MessageBody
		if len(id) > 0 {
			in.MessageDeduplicationId = &id[0]
		}
	}
}

func (q on) receive(n, wait, visibility int) []types.Message {
	out, err := q.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: int32(n), WaitTimeSeconds: int32(wait), VisibilityTimeout: int32(visibility),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
	})
	require.NoError(q.t, err)
	return out.Messages
}

// one receives one message, hidden for a minute.
func (q on) one() types.Message {
	got := q.receive(1, 1, 60)
	require.Len(q.t, got, 1)
	return got[0]
}

// gets receives at once, and wants these bodies, each with its receive count.
func (q on) gets(want ...string) {
	var got []string
	for _, m := range q.receive(10, 0, 60) {
		got = append(got, *m.Body+" "+m.Attributes["ApproximateReceiveCount"])
	}
	require.Equal(q.t, want, got)
}

func (q on) delete(m types.Message) error {
	_, err := q.DeleteMessage(context.Background(), &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
	return err
}

func (q on) hide(m types.Message, d time.Duration) error {
	_, err := q.ChangeMessageVisibility(context.Background(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(d / time.Second),
	})
	return err
}

// counts are what is visible, in flight and delayed.
func (q on) counts() string {
	out, err := q.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{"All"}})
	require.NoError(q.t, err)
	a := out.Attributes
	return a["ApproximateNumberOfMessages"] + " " + a["ApproximateNumberOfMessagesNotVisible"] + " " + a["ApproximateNumberOfMessagesDelayed"]
}

// refused wants an error with this code.
func (q on) refused(code string, err error) {
	var api smithy.APIError
	require.ErrorAs(q.t, err, &api)
	require.Equal(q.t, code, api.ErrorCode())
}

func ms(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// rules are what SQS documents, each with its page in doc.go.
func rules() map[string]func(b backend) {
	return map[string]func(b backend){
		"a message that is not deleted comes again": func(b backend) {
			q := b.queue("q", sqstest.Settings{Visibility: 10 * time.Second})
			q.send("x")
			first := q.receive(1, 0, 0)[0]
			time.Sleep(9 * time.Second)
			q.gets()
			require.Equal(b.t, "0 1 0", q.counts())
			time.Sleep(time.Second)
			second := q.one()
			require.Equal(b.t, *first.MessageId, *second.MessageId)
			require.NotEqual(b.t, *first.ReceiptHandle, *second.ReceiptHandle)
			require.Equal(b.t, "2", second.Attributes["ApproximateReceiveCount"])
		},
		"an old handle of a standard queue deletes nothing": func(b backend) {
			q := b.queue("q", sqstest.Settings{})
			q.send("x")
			first := q.one()
			time.Sleep(61 * time.Second)
			second := q.one()
			require.NoError(b.t, q.delete(first))
			q.refused("InvalidParameterValue", q.hide(first, 0))
			require.Equal(b.t, "0 1 0", q.counts())
			time.Sleep(61 * time.Second)
			require.NoError(b.t, q.delete(second), "the latest one counts after its time too")
			require.NoError(b.t, q.delete(second), "and again")
			require.Equal(b.t, "0 0 0", q.counts())
			q.refused("InvalidParameterValue", q.hide(second, 0))
			q.refused("ReceiptHandleIsInvalid", q.delete(types.Message{ReceiptHandle: aws.String("none")}))
		},
		"a handle of a FIFO queue expires": func(b backend) {
			q := b.queue("q.fifo", sqstest.Settings{})
			q.send("x", to("g"))
			m := q.one()
			time.Sleep(60 * time.Second)
			q.refused("InvalidParameterValue", q.delete(m))
			require.Equal(b.t, "1 0 0", q.counts())
		},
		"visibility counts from the call, for twelve hours from the receive": func(b backend) {
			q := b.queue("q", sqstest.Settings{})
			q.send("x")
			m := q.one()
			time.Sleep(30 * time.Second)
			require.NoError(b.t, q.hide(m, time.Minute))
			time.Sleep(59 * time.Second)
			q.gets()
			require.NoError(b.t, q.hide(m, 12*time.Hour-89*time.Second))
			q.refused("InvalidParameterValue", q.hide(m, 12*time.Hour-88*time.Second))
			require.NoError(b.t, q.hide(m, 0))
			q.refused("AWS.SimpleQueueService.MessageNotInflight", q.hide(m, time.Minute))
			q.gets("x 2")
		},
		"a message moves to the dead-letter queue instead of one more receive": func(b backend) {
			dead := b.queue("dead", sqstest.Settings{})
			q := b.queue("q", sqstest.Settings{DeadLetterQueue: "dead", MaxReceives: 2})
			sent := time.Now()
			q.send("x", func(in *sqs.SendMessageInput) {
				in.MessageAttributes = map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("b")}}
			})
			time.Sleep(time.Second)
			id := *q.one().MessageId
			time.Sleep(61 * time.Second)
			q.one()
			time.Sleep(61 * time.Second)
			q.gets()
			m := dead.one()
			require.Equal(b.t, id, *m.MessageId)
			require.Equal(b.t, "3", m.Attributes["ApproximateReceiveCount"], "across all queues")
			require.Equal(b.t, ms(sent), m.Attributes["SentTimestamp"])
			require.Equal(b.t, "arn:aws:sqs:us-east-1:000000000000:q", m.Attributes["DeadLetterQueueSourceArn"])
			require.Equal(b.t, "b", *m.MessageAttributes["a"].StringValue)
		},
		"a dead letter of a FIFO queue begins anew": func(b backend) {
			dead := b.queue("dead.fifo", sqstest.Settings{})
			q := b.queue("q.fifo", sqstest.Settings{DeadLetterQueue: "dead.fifo", MaxReceives: 1})
			q.send("x", to("g"))
			q.send("y", to("g"))
			id := *q.one().MessageId
			time.Sleep(61 * time.Second)
			moved := time.Now()
			require.Equal(b.t, "y", *q.one().Body, "the next of its group goes on")
			m := dead.one()
			require.Equal(b.t, id, m.Attributes["MessageDeduplicationId"])
			require.Equal(b.t, "g", m.Attributes["MessageGroupId"])
			require.Equal(b.t, ms(moved), m.Attributes["SentTimestamp"])
		},
		"a group waits while one of its messages is in flight": func(b backend) {
			q := b.queue("q.fifo", sqstest.Settings{})
			for _, body := range []string{"a1", "b1", "a2", "a3", "b2"} {
				q.send(body, to(body[:1]))
			}
			a := q.one()
			q.gets("b1 1", "b2 1")
			q.gets()
			require.NoError(b.t, q.hide(a, 0))
			q.gets("a1 2", "a2 1", "a3 1")
			time.Sleep(61 * time.Second)
			require.NoError(b.t, q.delete(q.one()))
			q.gets("b1 2", "b2 2", "a2 2", "a3 2")
		},
		"a deduplication id is taken once in five minutes": func(b backend) {
			q := b.queue("q.fifo", sqstest.Settings{})
			q.send("first", to("g", "id"))
			q.send("second", to("h", "id"))
			m := q.one()
			require.Equal(b.t, "id", m.Attributes["MessageDeduplicationId"])
			require.NoError(b.t, q.delete(m))
			q.send("third", to("g", "id"))
			require.Equal(b.t, "0 0 0", q.counts())
			time.Sleep(5 * time.Minute)
			q.send("fourth", to("g", "id"))
			q.gets("fourth 1")
		},
		"content deduplicates": func(b backend) {
			q := b.queue("q.fifo", sqstest.Settings{ContentDeduplication: true})
			group := func(in *sqs.SendMessageInput) { in.MessageGroupId = aws.String("g") }
			q.send("x", group)
			q.send("x", group)
			q.send("x", to("g", "own"))
			q.gets("x 1", "x 1")
		},
		"a delay hides a message": func(b backend) {
			q := b.queue("q", sqstest.Settings{Delay: 20 * time.Second})
			q.send("queue's")
			q.send("own", func(in *sqs.SendMessageInput) { in.DelaySeconds = 10 })
			require.Equal(b.t, "0 0 2", q.counts())
			time.Sleep(10 * time.Second)
			q.gets("own 1")
			time.Sleep(10 * time.Second)
			q.gets("queue's 1")
		},
		"a delayed message holds back its group": func(b backend) {
			q := b.queue("q.fifo", sqstest.Settings{Delay: 20 * time.Second})
			q.send("1", to("g"))
			time.Sleep(19 * time.Second)
			q.send("2", to("g"))
			q.gets()
			time.Sleep(time.Second)
			q.gets("1 1")
		},
		"a long poll answers when a message comes": func(b backend) {
			q := b.queue("q", sqstest.Settings{Wait: 20 * time.Second})
			began := time.Now()
			require.Empty(b.t, q.receive(1, 0, 0), "the queue's own time")
			require.Equal(b.t, 20*time.Second, time.Since(began))
			require.Empty(b.t, q.receive(1, 5, 0))
			require.Equal(b.t, 25*time.Second, time.Since(began))

			q.send("later", func(in *sqs.SendMessageInput) { in.DelaySeconds = 7 })
			q.one2(b, 20)
			require.Equal(b.t, 32*time.Second, time.Since(began), "when its delay ends")
			q.one2(b, 20)
			require.Equal(b.t, 42*time.Second, time.Since(began), "when its visibility ends")

			go func() {
				time.Sleep(3 * time.Second)
				q.send("now")
			}()
			q.one2(b, 20)
			require.Equal(b.t, 45*time.Second, time.Since(began), "when it is sent")
		},
		"a message is gone after its retention": func(b backend) {
			q := b.queue("q", sqstest.Settings{Retention: time.Minute})
			q.send("x")
			time.Sleep(time.Minute)
			q.gets()
		},
		"a batch fails in part": func(b backend) {
			q := b.queue("q", sqstest.Settings{MaximumSize: 1024})
			entry := func(id, body string) types.SendMessageBatchRequestEntry {
				return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
			}
			late := entry("late", "x")
			late.DelaySeconds = 901
			out, err := q.SendMessageBatch(context.Background(), &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: []types.SendMessageBatchRequestEntry{
				entry("good", "x"), late, entry("zero", "a\x00"), entry("large", strings.Repeat("x", 1025)),
			}})
			require.NoError(b.t, err)
			require.Len(b.t, out.Successful, 1)
			require.Equal(b.t, "good", *out.Successful[0].Id)
			require.Equal(b.t, map[string]string{"late": "InvalidParameterValue true", "zero": "InvalidMessageContents true", "large": "InvalidParameterValue true"}, codes(out.Failed))

			m := q.one()
			deleted, err := q.DeleteMessageBatch(context.Background(), &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: []types.DeleteMessageBatchRequestEntry{
				{Id: aws.String("bad"), ReceiptHandle: aws.String("none")}, {Id: aws.String("good"), ReceiptHandle: m.ReceiptHandle},
			}})
			require.NoError(b.t, err)
			require.Equal(b.t, "good", *deleted.Successful[0].Id)
			require.Equal(b.t, map[string]string{"bad": "ReceiptHandleIsInvalid true"}, codes(deleted.Failed))
			require.Equal(b.t, "0 0 0", q.counts())

			q.send("y")
			m = q.one()
			hidden, err := q.ChangeMessageVisibilityBatch(context.Background(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
				{Id: aws.String("good"), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0},
				{Id: aws.String("late"), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 10},
			}})
			require.NoError(b.t, err)
			require.Equal(b.t, "good", *hidden.Successful[0].Id)
			require.Equal(b.t, map[string]string{"late": "MessageNotInflight true"}, codes(hidden.Failed))
		},
		"what SQS refuses": refusals,
	}
}

// one2 receives one message, hidden for ten seconds, and waits for it.
func (q on) one2(b backend, wait int) {
	require.Len(b.t, q.receive(1, wait, 10), 1)
}

func codes(failed []types.BatchResultErrorEntry) map[string]string {
	out := map[string]string{}
	for _, f := range failed {
		out[*f.Id] = fmt.Sprint(*f.Code, " ", f.SenderFault)
	}
	return out
}

func refusals(b backend) {
	q, fifo := b.queue("q", sqstest.Settings{}), b.queue("q.fifo", sqstest.Settings{})
	ctx := context.Background()
	send := func(q on, body string, change ...func(*sqs.SendMessageInput)) error {
		in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body}
		for _, c := range change {
			c(in)
		}
		_, err := q.SendMessage(ctx, in)
		return err
	}
	attribute := func(name, kind, value string) func(*sqs.SendMessageInput) {
		return func(in *sqs.SendMessageInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{name: {DataType: &kind, StringValue: &value}}
		}
	}
	batch := func(ids string, bytes int) error {
		in := &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: []types.SendMessageBatchRequestEntry{}}
		for id := range strings.SplitSeq(ids, ",") {
			if ids != "" {
				in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String(strings.Repeat("x", bytes))})
			}
		}
		_, err := q.SendMessageBatch(ctx, in)
		return err
	}
	receive := func(change func(*sqs.ReceiveMessageInput)) error {
		in := &sqs.ReceiveMessageInput{QueueUrl: &q.url}
		change(in)
		_, err := q.ReceiveMessage(ctx, in)
		return err
	}

	const parameter, prefix = "InvalidParameterValue", "AWS.SimpleQueueService."
	q.refused("MissingParameter", send(q, ""))
	q.refused("InvalidMessageContents", send(q, "a\x01"))
	q.refused("InvalidMessageContents", send(q, "a\uFFFE"))
	require.NoError(b.t, send(q, strings.Repeat("x", 1<<20)))
	q.refused(parameter, send(q, strings.Repeat("x", 1<<20-8), attribute("ab", "String", "c")))
	q.refused(parameter, send(q, "x", attribute("AWS.x", "String", "c")))
	q.refused(parameter, send(q, "x", attribute("a..b", "String", "c")))
	q.refused(parameter, send(q, "x", attribute("a", "Text", "c")))
	q.refused(parameter, send(q, "x", attribute("a", "String", "")))
	q.refused(parameter, send(q, "x", func(in *sqs.SendMessageInput) { in.DelaySeconds = 901 }))
	q.refused(parameter, send(q, "x", to("g")))
	q.refused("MissingParameter", send(fifo, "x", func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = aws.String("d") }))
	q.refused(parameter, send(fifo, "x", func(in *sqs.SendMessageInput) { in.MessageGroupId = aws.String("g") }))
	q.refused(parameter, send(fifo, "x", to("a b")))
	q.refused(parameter, send(fifo, "x", to("g"), func(in *sqs.SendMessageInput) { in.DelaySeconds = 5 }))

	q.refused(prefix+"EmptyBatchRequest", batch("", 1))
	q.refused(prefix+"TooManyEntriesInBatchRequest", batch("a,b,c,d,e,f,g,h,i,j,k", 1))
	q.refused(prefix+"BatchEntryIdsNotDistinct", batch("a,a", 1))
	q.refused(prefix+"InvalidBatchEntryId", batch("a b", 1))
	q.refused(prefix+"BatchRequestTooLong", batch("a,b,c", 400_000))

	q.refused(parameter, receive(func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = 11 }))
	q.refused(parameter, receive(func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 21 }))
	q.refused(parameter, receive(func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = 43_201 }))
	_, err := q.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("none")})
	q.refused(prefix+"NonExistentQueue", err)
	var missing *types.QueueDoesNotExist
	require.ErrorAs(b.t, err, &missing)
	_, err = q.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{"Colour"}})
	q.refused("InvalidAttributeName", err)
}

func TestRules(t *testing.T) {
	for name, rule := range rules() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { rule(fakeBackend(t)) })
		})
	}
}
