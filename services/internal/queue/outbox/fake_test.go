package outbox_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// fakeSQS keeps what is sent to its queues. A FIFO queue drops a message whose
// deduplication id it has seen.
type fakeSQS struct {
	mu     sync.Mutex
	queues map[string]chan string // bodies, by the queue's name
	seen   map[string]bool
	refuse func(body string) bool // where set: the entries that fail

	invalid string // a body that is refused for good
	whole   bool   // with the whole call, not its entry alone

	takes time.Duration // how long a send takes
	calls int
	sends int    // acknowledged entries, however often each was sent
	after func() // where set: called after the send, before its answer
}

func newFakeSQS(queues ...string) *fakeSQS {
	f := &fakeSQS{queues: map[string]chan string{}, seen: map[string]bool{}}
	for _, q := range queues {
		f.create(q)
	}
	return f
}

func (f *fakeSQS) create(queue string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queues[queue] = make(chan string, 4000)
}

func (f *fakeSQS) setRefuse(refuse func(body string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = refuse
}

// receive waits for the next message of a queue.
func (f *fakeSQS) receive(queue string) string {
	f.mu.Lock()
	q := f.queues[queue]
	f.mu.Unlock()
	return <-q
}

// all returns what lies on a queue, in the order in which it was sent.
func (f *fakeSQS) all(queue string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var bodies []string
	for len(f.queues[queue]) > 0 {
		bodies = append(bodies, <-f.queues[queue])
	}
	return bodies
}

func (f *fakeSQS) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.queues[*in.QueueName] == nil {
		return nil, &types.QueueDoesNotExist{}
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("http://fake/" + *in.QueueName)}, nil
}

func (f *fakeSQS) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(f.takes):
	}
	out, err := f.sendBatch(in)
	if f.after != nil {
		f.after()
	}
	return out, err
}

func (f *fakeSQS) sendBatch(in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	queue := strings.TrimPrefix(*in.QueueUrl, "http://fake/")

	invalid := func(e types.SendMessageBatchRequestEntry) bool { return f.invalid != "" && *e.MessageBody == f.invalid }
	if f.whole && slices.ContainsFunc(in.Entries, invalid) {
		return nil, &types.InvalidMessageContents{}
	}

	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		if invalid(e) {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InvalidMessageContents"), SenderFault: true})
			continue
		}
		if f.refuse != nil && f.refuse(*e.MessageBody) {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InternalError"), Message: aws.String("not now")})
			continue
		}
		if id := aws.ToString(e.MessageDeduplicationId); id == "" || !f.seen[id] {
			f.seen[id] = true
			f.queues[queue] <- *e.MessageBody
		}
		f.sends++
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id, MessageId: aws.String(fmt.Sprint(len(f.seen)))})
	}
	return out, nil
}

// sent returns how many entries were acknowledged.
func (f *fakeSQS) sent() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sends
}
