package sqsworker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// fakeSQS is one queue and its dead-letter queue with SQS's visibility, groups
// and receive counts, on the clock of the synctest bubble. fail, where set for
// an operation, is called before each call and may return an error for it.
type fakeSQS struct {
	mu       sync.Mutex
	fifo     bool
	messages []*fakeMessage
	dead     []*sqs.SendMessageInput
	sentBy   context.Context // of the last SendMessage
	fail     map[string]func() error
	calls    map[string]int
	batches  []int // sizes of delete batches
	serial   int
	sentAt   time.Time     // of each message; zero: in 2023
	poll     time.Duration // how often a receive looks; 0: 10 ms

	attributes map[string]string
	own        map[string]types.MessageAttributeValue // each message's; nil: trace alone
}

type fakeMessage struct {
	id, group, body string
	visible         time.Time
	received        time.Time
	receipt         string
	receives        int
}

func newFake(fifo bool) *fakeSQS {
	dlq := "q-dlq"
	if fifo {
		dlq += ".fifo"
	}

	return &fakeSQS{fifo: fifo, fail: map[string]func() error{}, calls: map[string]int{}, attributes: map[string]string{
		"VisibilityTimeout": "43200", "RedrivePolicy": redriveTo(dlq),
	}}
}

func redriveTo(dlq string) string {
	return `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:0:` + dlq + `","maxReceiveCount":10}`
}

func (f *fakeSQS) send(group string, bodies ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range bodies {
		f.serial++
		f.messages = append(f.messages, &fakeMessage{id: "m" + strconv.Itoa(f.serial), group: group, body: b})
	}
}

func (f *fakeSQS) sent() int64 {
	if f.sentAt.IsZero() {
		return 1_700_000_000_000
	}
	return f.sentAt.UnixMilli()
}

func (f *fakeSQS) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.messages)
}

// deletes are the sizes of the delete batches so far.
func (f *fakeSQS) deletes() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.batches)
}

func (f *fakeSQS) setFail(op string, fn func() error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[op] = fn
}

// times fails the first n calls.
func times(n int, err error) func() error {
	return func() error {
		if n == 0 {
			return nil
		}
		n--
		return err
	}
}

func always(err error) func() error { return func() error { return err } }

// enter locks and counts; the caller unlocks.
func (f *fakeSQS) enter(op string) error {
	f.mu.Lock()
	f.calls[op]++
	if fn := f.fail[op]; fn != nil {
		return fn()
	}
	return nil
}

//nolint:revive // the SDK's name
func (f *fakeSQS) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	defer f.mu.Unlock()
	if err := f.enter("url"); err != nil {
		return nil, err
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("http://fake/" + *in.QueueName)}, nil
}

func (f *fakeSQS) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	defer f.mu.Unlock()
	if err := f.enter("attributes"); err != nil {
		return nil, err
	}
	return &sqs.GetQueueAttributesOutput{Attributes: maps.Clone(f.attributes)}, nil
}

func (f *fakeSQS) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if *in.QueueUrl == "" {
		return nil, errors.New("no queue URL")
	}
	end := time.Now().Add(time.Duration(in.WaitTimeSeconds) * time.Second)

	for {
		err := f.enter("receive")
		got := f.pick(in, err)
		f.mu.Unlock()
		if err != nil {
			return nil, err
		}

		if len(got) > 0 || !time.Now().Before(end) {
			return &sqs.ReceiveMessageOutput{Messages: got}, nil
		}
		if !pause(ctx, cmp.Or(f.poll, 10*time.Millisecond)) {
			return nil, ctx.Err()
		}
	}
}

func (f *fakeSQS) pick(in *sqs.ReceiveMessageInput, err error) (got []types.Message) {
	if err != nil {
		return nil
	}

	// A group waits as long as one of its messages is in flight.
	now, blocked := time.Now(), map[string]bool{}
	for _, m := range f.messages {
		if f.fifo && m.visible.After(now) {
			blocked[m.group] = true
		}
	}

	for _, m := range f.messages {
		if m.visible.After(now) || blocked[m.group] || len(got) == int(in.MaxNumberOfMessages) {
			continue
		}
		m.receives++
		m.received, m.visible = now, now.Add(time.Duration(in.VisibilityTimeout)*time.Second)
		m.receipt = fmt.Sprintf("%s/%d", m.id, m.receives)
		own := f.own
		if own == nil {
			own = map[string]types.MessageAttributeValue{"trace": stringAttribute("t1")}
		}
		got = append(got, types.Message{
			MessageId: &m.id, Body: &m.body, ReceiptHandle: aws.String(m.receipt),
			Attributes: map[string]string{
				"ApproximateReceiveCount": strconv.Itoa(m.receives), "SentTimestamp": strconv.FormatInt(f.sent(), 10), "MessageGroupId": m.group,
			},
			MessageAttributes: own,
		})
	}
	return got
}

func (f *fakeSQS) DeleteMessageBatch(_ context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	defer f.mu.Unlock()
	if err := f.enter("delete"); err != nil {
		return nil, err
	}

	f.batches = append(f.batches, len(in.Entries))
	for _, e := range in.Entries {
		for i, m := range f.messages {
			if m.receipt == *e.ReceiptHandle {
				f.messages = append(f.messages[:i:i], f.messages[i+1:]...)
				break
			}
		}
	}
	return &sqs.DeleteMessageBatchOutput{}, nil
}

func (f *fakeSQS) ChangeMessageVisibilityBatch(_ context.Context, in *sqs.ChangeMessageVisibilityBatchInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	defer f.mu.Unlock()
	if err := f.enter("visibility"); err != nil {
		return nil, err
	}

	out := &sqs.ChangeMessageVisibilityBatchOutput{}
	for _, e := range in.Entries {
		found := false
		for _, m := range f.messages {
			if m.receipt == *e.ReceiptHandle && m.visible.After(time.Now()) {
				visible := time.Now().Add(time.Duration(e.VisibilityTimeout) * time.Second)
				if visible.Sub(m.received) > maxVisibility {
					break // and refused, below
				}
				m.visible, found = visible, true
			}
		}
		if !found {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("MessageNotInflight"), SenderFault: true})
		}
	}
	return out, nil
}

func (f *fakeSQS) SendMessage(ctx context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	defer f.mu.Unlock()
	if err := f.enter("send"); err != nil {
		return nil, err
	}

	if !strings.Contains(*in.QueueUrl, "dlq") {
		return nil, fmt.Errorf("sent to %s", *in.QueueUrl)
	}
	f.dead, f.sentBy = append(f.dead, in), ctx
	return &sqs.SendMessageOutput{}, nil
}
