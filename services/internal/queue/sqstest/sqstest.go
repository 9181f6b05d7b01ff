package sqstest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

// base is what a queue's URL begins with, as it would in AWS.
const base = "https://sqs.us-east-1.amazonaws.com/000000000000/"

// SQS is a fake client of Amazon SQS, with its queues in memory. It has the operations
// that programs send, receive and settle messages by, with the signatures of
// *sqs.Client. New returns one. It is safe for concurrent use.
type SQS struct {
	mu     sync.Mutex
	queues map[string]*Queue
	faults map[string][]*planned // by operation
	calls  []*Call
	// Counted over all queues.
	messages, sequence, receipts int
}

// New returns an SQS without queues.
func New() *SQS {
	return &SQS{queues: map[string]*Queue{}, faults: map[string][]*planned{}}
}

// operations are those that SQS has here.
func operations() []string {
	return []string{
		"GetQueueUrl", "GetQueueAttributes", "SendMessage", "SendMessageBatch", "ReceiveMessage",
		"DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch",
	}
}

// mustKnow panics for a name that is no operation: a fault of it would never happen, and
// the test would prove nothing.
func mustKnow(operation string) {
	if !slices.Contains(operations(), operation) {
		panic(fmt.Sprintf("sqstest: there is no operation %q; these are known: %s", operation, strings.Join(operations(), ", ")))
	}
}

// Call is one call of an operation.
type Call struct {
	Operation string
	Queue     string // its name
	Entries   []Entry
	// Context, Input and Output are the call's: *sqs.ReceiveMessageInput and so on.
	// Output is nil as long as there is none, and Err is what the caller got.
	Context       context.Context
	Input, Output any
	Err           error
	Began, Ended  time.Time // Ended is zero while the call is under way
}

// Entry is an entry of a batch, or the one message that a call is about.
type Entry struct {
	ID      string // of a batch's entry
	Body    string // of the message, also where the call names it by a receipt handle
	Receipt string
}

// Calls returns the calls of an operation so far, in the order in which they began; "":
// of all operations. It panics if there is no such operation.
func (f *SQS) Calls(operation string) []Call {
	if operation != "" {
		mustKnow(operation)
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Call
	for _, c := range f.calls {
		if operation == "" || c.Operation == operation {
			out = append(out, *c)
		}
	}
	return out
}

// call is one call from its beginning to its end: work does what SQS does, and leaves
// out what the faults say of its entries.
func call[Out any](ctx context.Context, f *SQS, c Call, work func(map[int]Fault) (*Out, error)) (*Out, error) {
	wrap := func(err error) error {
		return &smithy.OperationError{ServiceID: sqs.ServiceID, OperationName: c.Operation, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return nil, wrap(err) // such a call does not leave the process
	}

	c.Context, c.Began = ctx, time.Now()
	noted, faults := f.note(c)
	// Without the lock: a test's own functions are called, which may look at the queues.
	happens := f.fateOf(*noted, faults)
	out, err := meet(ctx, happens, func() (*Out, error) { return work(happens.entries) })

	f.mu.Lock()
	defer f.mu.Unlock()
	noted.Ended = time.Now()
	if err != nil {
		noted.Err = wrap(err)
		return nil, noted.Err
	}
	noted.Output = out
	return out, nil
}

// note keeps a call, and returns it with what is planned for its operation.
func (f *SQS) note(c Call) (*Call, []*planned) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.queues[c.Queue]
	for i, e := range c.Entries {
		if q != nil && q.receipts[e.Receipt] != nil {
			c.Entries[i].Body = q.receipts[e.Receipt].Body
		}
	}
	f.calls = append(f.calls, &c)
	return &c, slices.Clone(f.faults[c.Operation])
}

// onQueue runs work on the queue of a URL.
func onQueue[Out any](f *SQS, url *string, work func(*Queue) (*Out, error)) (*Out, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.queues[nameOf(url)]
	if q == nil {
		return nil, noQueue()
	}
	return work(q)
}

// nameOf returns the name of the queue that a URL is of, or "".
func nameOf(url *string) string {
	if url == nil {
		return ""
	}
	name, ok := strings.CutPrefix(*url, base)
	if !ok {
		return ""
	}
	return name
}
