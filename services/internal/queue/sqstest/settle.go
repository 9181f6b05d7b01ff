package sqstest

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// maxVisibility is how long a message is hidden at most, from its receive.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
const maxVisibility = 12 * time.Hour

// DeleteMessage deletes the message of a receipt handle.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (f *SQS) DeleteMessage(ctx context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	c := Call{Operation: "DeleteMessage", Queue: nameOf(in.QueueUrl), Input: in, Entries: []Entry{{Receipt: aws.ToString(in.ReceiptHandle)}}}
	return call(ctx, f, c, func(map[int]Fault) (*sqs.DeleteMessageOutput, error) {
		return onQueue(f, in.QueueUrl, func(q *Queue) (*sqs.DeleteMessageOutput, error) {
			return &sqs.DeleteMessageOutput{}, q.delete(aws.ToString(in.ReceiptHandle), time.Now())
		})
	})
}

// DeleteMessageBatch deletes up to ten messages, each of which may fail by itself.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
func (f *SQS) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	c := Call{Operation: "DeleteMessageBatch", Queue: nameOf(in.QueueUrl), Input: in}
	for _, e := range in.Entries {
		c.Entries = append(c.Entries, Entry{ID: aws.ToString(e.Id), Receipt: aws.ToString(e.ReceiptHandle)})
	}

	return call(ctx, f, c, func(faults map[int]Fault) (*sqs.DeleteMessageBatchOutput, error) {
		if err := checkBatch(c.Entries); err != nil {
			return nil, err
		}
		return onQueue(f, in.QueueUrl, func(q *Queue) (*sqs.DeleteMessageBatchOutput, error) {
			out := &sqs.DeleteMessageBatchOutput{}
			out.Failed = eachEntry(c.Entries, faults, func(i int) (func(), error) {
				return func() {
					out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: in.Entries[i].Id})
				}, q.delete(c.Entries[i].Receipt, time.Now())
			})
			return out, nil
		})
	})
}

// delete deletes the message of a receipt handle. To delete it again succeeds. On a
// standard queue the latest handle counts, in flight or not, and an older one succeeds
// without effect; on a FIFO queue a handle is valid for as long as its receive hides
// the message.
func (q *Queue) delete(receipt string, now time.Time) error {
	m := q.receipts[receipt]
	switch {
	case m == nil:
		return badReceipt(receipt)
	case m.removed:
		return nil
	case q.fifo && (m.receipt != receipt || m.state(now) != InFlight):
		return invalid("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", receipt)
	case m.receipt != receipt:
		return nil
	}
	q.remove(m)
	return nil
}

// ChangeMessageVisibility hides a message for another time, counted from now.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func (f *SQS) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	c := Call{Operation: "ChangeMessageVisibility", Queue: nameOf(in.QueueUrl), Input: in, Entries: []Entry{{Receipt: aws.ToString(in.ReceiptHandle)}}}
	return call(ctx, f, c, func(map[int]Fault) (*sqs.ChangeMessageVisibilityOutput, error) {
		return onQueue(f, in.QueueUrl, func(q *Queue) (*sqs.ChangeMessageVisibilityOutput, error) {
			return &sqs.ChangeMessageVisibilityOutput{}, q.hide(aws.ToString(in.ReceiptHandle), in.VisibilityTimeout, time.Now())
		})
	})
}

// ChangeMessageVisibilityBatch does so for up to ten messages, each of which may fail by
// itself.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
func (f *SQS) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	c := Call{Operation: "ChangeMessageVisibilityBatch", Queue: nameOf(in.QueueUrl), Input: in}
	for _, e := range in.Entries {
		c.Entries = append(c.Entries, Entry{ID: aws.ToString(e.Id), Receipt: aws.ToString(e.ReceiptHandle)})
	}

	return call(ctx, f, c, func(faults map[int]Fault) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
		if err := checkBatch(c.Entries); err != nil {
			return nil, err
		}
		return onQueue(f, in.QueueUrl, func(q *Queue) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
			out := &sqs.ChangeMessageVisibilityBatchOutput{}
			out.Failed = eachEntry(c.Entries, faults, func(i int) (func(), error) {
				return func() {
					out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: in.Entries[i].Id})
				}, q.hide(c.Entries[i].Receipt, in.Entries[i].VisibilityTimeout, time.Now())
			})
			return out, nil
		})
	})
}

// hide hides a message in flight for some seconds from now on; 0 makes it visible.
func (q *Queue) hide(receipt string, seconds int32, now time.Time) error {
	d := time.Duration(seconds) * time.Second
	m := q.receipts[receipt]
	switch {
	case d < 0 || d > maxVisibility:
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.", seconds)
	case m == nil:
		return badReceipt(receipt)
	case m.removed:
		return invalid("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", receipt)
	case m.receipt != receipt:
		return invalid("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", receipt)
	case m.state(now) != InFlight:
		return notInFlight()
	case now.Add(d).After(m.received.Add(maxVisibility)):
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]", seconds)
	}
	m.until = now.Add(d)
	q.changed()
	return nil
}

// eachEntry works on each entry of a batch, but for what its faults say of them. work does what is
// asked, and returns what to answer with where it succeeded. It returns the entries that failed.
func eachEntry(entries []Entry, faults map[int]Fault, work func(i int) (succeeded func(), err error)) (failed []types.BatchResultErrorEntry) {
	for i, e := range entries {
		f, bad := faults[i]
		if bad && f.refusal.Code != nil {
			no := f.refusal
			no.Id = aws.String(e.ID)
			failed = append(failed, no)
			continue
		}
		if bad && !f.done {
			continue
		}

		succeeded, err := work(i)
		switch {
		case bad: // it is done, and not answered for
		case err != nil:
			failed = append(failed, failedEntry(e.ID, err))
		default:
			succeeded()
		}
	}
	return failed
}
