package sqstest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// ReceiveMessage returns messages that are visible and hides them. It waits for the
// first one as long as the call or the queue says (long polling), and fails when ctx ends.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
func (f *SQS) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	c := Call{Operation: "ReceiveMessage", Queue: nameOf(in.QueueUrl), Input: in}
	return call(ctx, f, c, func(map[int]Fault) (*sqs.ReceiveMessageOutput, error) {
		if err := checkReceive(in); err != nil {
			return nil, err
		}

		began := time.Now()
		// Of this call alone: a channel that was made outside of a synctest bubble would
		// stop the bubble's clock.
		wake := make(chan struct{}, 1)
		defer f.leave(nameOf(in.QueueUrl), wake)
		for {
			var left time.Duration
			out, err := onQueue(f, in.QueueUrl, func(q *Queue) (*sqs.ReceiveMessageOutput, error) {
				q.waiting[wake] = struct{}{}
				now := time.Now()
				wait := cmp.Or(time.Duration(in.WaitTimeSeconds)*time.Second, q.set.Wait)
				out := &sqs.ReceiveMessageOutput{Messages: q.receive(in, now)}
				left = q.waitFor(began.Add(wait), now)
				return out, nil
			})
			if err != nil || len(out.Messages) > 0 || left <= 0 {
				return out, err
			}
			if err := await(ctx, wake, left); err != nil {
				return nil, err
			}
		}
	})
}

// await waits for a change of the queue, but no longer than d; an error is ctx's.
func await(ctx context.Context, wake <-chan struct{}, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
	case <-t.C:
	}
	return nil
}

// leave ends a call's interest in a queue.
func (f *SQS) leave(queue string, wake chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q := f.queues[queue]; q != nil {
		delete(q.waiting, wake)
	}
}

// waitFor returns how long a receive that got nothing waits before it looks again: nobody
// signals the end of a delay or of a visibility.
func (q *Queue) waitFor(end, now time.Time) time.Duration {
	for _, m := range q.messages {
		if hidden := m.hiddenUntil(now); !hidden.IsZero() && hidden.Before(end) {
			end = hidden
		}
	}
	return end.Sub(now)
}

// receive hands out up to as many messages as are asked for. Those that were received
// too often move to the dead-letter queue instead.
func (q *Queue) receive(in *sqs.ReceiveMessageInput, now time.Time) (out []types.Message) {
	q.expire(now)
	for moved := true; moved && len(out) == 0; {
		moved = false
		left := map[string]bool{} // groups whose first message has moved: they are looked at again if nothing else is there
		for _, m := range q.ready(now) {
			if len(out) == cmp.Or(int(in.MaxNumberOfMessages), 1) {
				break
			}
			if left[m.Group] {
				continue
			}
			if dead := q.f.queues[q.set.DeadLetterQueue]; dead != nil && m.receives >= q.set.MaxReceives {
				q.deadLetter(m, dead, now)
				moved, left[m.Group] = true, q.fifo
				continue
			}
			q.handOut(m, now, cmp.Or(time.Duration(in.VisibilityTimeout)*time.Second, q.set.visibility()))
			out = append(out, q.show(m, in))
		}
	}
	return out
}

// handOut counts a receive of a message, and hides it.
func (q *Queue) handOut(m *message, now time.Time, visibility time.Duration) {
	q.f.receipts++
	m.Receives++
	m.receives++
	m.receipt = fmt.Sprintf("receipt %d of message %s", q.f.receipts, m.ID)
	m.received, m.until = now, now.Add(visibility)
	if m.first.IsZero() {
		m.first = now
	}
	q.receipts[m.receipt] = m
}

// ready returns what may be handed out, in this order. A standard queue's oldest message
// is the first. A FIFO queue keeps the order of each group: all of one group follow each
// other, and none of them goes while one of the group is in flight, or before an earlier
// one whose delay has not ended.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
func (q *Queue) ready(now time.Time) (out []*message) {
	if !q.fifo {
		for _, m := range q.messages {
			if m.state(now) == Visible {
				out = append(out, m)
			}
		}
		return out
	}

	var groups []string
	members, blocked := map[string][]*message{}, map[string]bool{}
	for _, m := range q.messages {
		if m.state(now) == InFlight {
			members[m.Group] = nil // also what was sent before it
			blocked[m.Group] = true
		}
		blocked[m.Group] = blocked[m.Group] || m.state(now) == Delayed
		if blocked[m.Group] {
			continue
		}
		if members[m.Group] == nil {
			groups = append(groups, m.Group)
		}
		members[m.Group] = append(members[m.Group], m)
	}
	for _, group := range groups {
		out = append(out, members[group]...)
	}
	return out
}

// deadLetter moves a message to the dead-letter queue. A standard queue keeps the time of
// the first send; a FIFO queue begins anew, and takes the message's id for its
// deduplication id.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (q *Queue) deadLetter(m *message, dead *Queue, now time.Time) {
	q.remove(m)
	next := &message{Message: m.Message}
	next.Source = q.name
	if dead.fifo {
		next.SentAt, next.Deduplication = now, m.ID
	}
	dead.add(next, now)
}

// show returns a message with the attributes that the receive asks for.
func (q *Queue) show(m *message, in *sqs.ReceiveMessageInput) types.Message {
	out := types.Message{MessageId: aws.String(m.ID), Body: aws.String(m.Body), ReceiptHandle: aws.String(m.receipt)}

	system := m.system(q)
	maps.DeleteFunc(system, func(name, _ string) bool {
		return !slices.Contains(in.MessageSystemAttributeNames, types.MessageSystemAttributeName(name)) &&
			!slices.Contains(in.MessageSystemAttributeNames, types.MessageSystemAttributeNameAll)
	})
	if len(system) > 0 {
		out.Attributes = system
	}

	own := maps.Clone(m.Attributes)
	maps.DeleteFunc(own, func(name string, _ types.MessageAttributeValue) bool {
		return !slices.ContainsFunc(in.MessageAttributeNames, func(asked string) bool {
			prefix, isPrefix := strings.CutSuffix(asked, ".*")
			return asked == "All" || asked == name || isPrefix && strings.HasPrefix(name, prefix)
		})
	})
	if len(own) > 0 {
		out.MessageAttributes = own
	}
	return out
}
