package sqstest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// deduplicateFor is how long a FIFO queue drops a message with the same deduplication id.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
const deduplicateFor = 5 * time.Minute

// repeat is the message that a deduplication id stands for.
type repeat struct {
	id       string
	sequence int
	until    time.Time
}

// entry is a message as it is sent.
type entry struct {
	body                 string
	group, deduplication string
	delay                int32 // s; 0: the queue's, because the SDK leaves out a 0
	attributes           map[string]types.MessageAttributeValue
	system               map[string]types.MessageSystemAttributeValue
}

// answer is what a send returns of a message.
type answer struct {
	id       *string
	sequence *string // FIFO
}

// SendMessage sends a message.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (f *SQS) SendMessage(ctx context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	c := Call{Operation: "SendMessage", Queue: nameOf(in.QueueUrl), Input: in, Entries: []Entry{{Body: aws.ToString(in.MessageBody)}}}
	return call(ctx, f, c, func(map[int]Fault) (*sqs.SendMessageOutput, error) {
		return onQueue(f, in.QueueUrl, func(q *Queue) (*sqs.SendMessageOutput, error) {
			a, err := q.take(entry{
				body: aws.ToString(in.MessageBody), group: aws.ToString(in.MessageGroupId), deduplication: aws.ToString(in.MessageDeduplicationId),
				delay: in.DelaySeconds, attributes: in.MessageAttributes, system: in.MessageSystemAttributes,
			}, time.Now())
			if err != nil {
				return nil, err
			}
			return &sqs.SendMessageOutput{MessageId: a.id, SequenceNumber: a.sequence}, nil
		})
	})
}

// SendMessageBatch sends up to ten messages, each of which may fail by itself.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func (f *SQS) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	c := Call{Operation: "SendMessageBatch", Queue: nameOf(in.QueueUrl), Input: in}
	for _, e := range in.Entries {
		c.Entries = append(c.Entries, Entry{ID: aws.ToString(e.Id), Body: aws.ToString(e.MessageBody)})
	}

	return call(ctx, f, c, func(faults map[int]Fault) (*sqs.SendMessageBatchOutput, error) {
		if err := checkBatch(c.Entries); err != nil {
			return nil, err
		}
		return onQueue(f, in.QueueUrl, func(q *Queue) (*sqs.SendMessageBatchOutput, error) {
			entries, err := q.readBatch(in.Entries)
			if err != nil {
				return nil, err
			}

			out := &sqs.SendMessageBatchOutput{}
			out.Failed = eachEntry(c.Entries, faults, func(i int) (func(), error) {
				a, err := q.take(entries[i], time.Now())
				return func() {
					out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: in.Entries[i].Id, MessageId: a.id, SequenceNumber: a.sequence})
				}, err
			})
			return out, nil
		})
	})
}

// readBatch returns a batch's messages, or the error that fails all of it.
func (q *Queue) readBatch(in []types.SendMessageBatchRequestEntry) (out []entry, err error) {
	size := 0
	for _, e := range in {
		one := entry{
			body: aws.ToString(e.MessageBody), group: aws.ToString(e.MessageGroupId), deduplication: aws.ToString(e.MessageDeduplicationId),
			delay: e.DelaySeconds, attributes: e.MessageAttributes, system: e.MessageSystemAttributes,
		}
		out = append(out, one)
		size += one.size()
		err = cmp.Or(err, q.checkFIFO(one))
	}
	if size > maxSize {
		return nil, tooLong(size)
	}
	return out, err
}

// take puts a message on the queue, unless it is a repeat, which is answered as the
// first was.
func (q *Queue) take(in entry, now time.Time) (answer, error) {
	if err := cmp.Or(q.checkFIFO(in), q.check(in)); err != nil {
		return answer{}, err
	}

	if q.fifo && in.deduplication == "" {
		in.deduplication = fmt.Sprintf("%x", sha256.Sum256([]byte(in.body)))
	}
	if before := q.repeats[in.deduplication]; q.fifo && now.Before(before.until) {
		return q.answer(before.id, before.sequence), nil
	}

	q.f.messages++
	m := &message{Message: Message{
		ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", q.f.messages), Body: in.body, Group: in.group, Deduplication: in.deduplication,
		Attributes: in.attributes, TraceHeader: aws.ToString(in.system["AWSTraceHeader"].StringValue), SentAt: now,
	}}
	if delay := cmp.Or(time.Duration(in.delay)*time.Second, q.set.Delay); delay > 0 {
		m.due = now.Add(delay)
	}
	q.add(m, now)
	return q.answer(m.ID, m.sequence), nil
}

// add puts a message at the end of the queue.
func (q *Queue) add(m *message, now time.Time) {
	q.f.sequence++
	m.sequence = q.f.sequence
	if q.fifo {
		q.repeats[m.Deduplication] = repeat{m.ID, m.sequence, now.Add(deduplicateFor)}
	}
	q.messages = append(q.messages, m)
	q.changed()
}

func (q *Queue) answer(id string, number int) answer {
	if !q.fifo {
		return answer{id: &id}
	}
	return answer{&id, aws.String(sequence(number))}
}

// sequence is 20 digits, as AWS's are.
func sequence(n int) string { return fmt.Sprintf("1%019d", n) }
