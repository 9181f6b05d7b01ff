package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	stypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/internal/queue/sqsworker"
)

// consumer empties a queue. It calls handled for each one and
// returns when ctx has ended, or by itself.
type consumer func(ctx context.Context, c clients, queue string, handled func()) error

// consume returns how many of n messages a second a consumer handles and deletes, when
// each of its calls takes so much longer.
func consume(n int64, longer time.Duration, run consumer) func(context.Context, clients) (float64, error) {
	return func(ctx context.Context, c clients) (float64, error) {
		// A queue of its own: what the run before left in flight cannot come again here.
		name := fmt.Sprint("consume-", time.Now().UnixNano())
		url, err := fill(ctx, c.queues, name, n)
		if err != nil {
			return 0, err
		}

		c.aws.HTTPClient = slow{c.aws.HTTPClient, longer} // c is a copy
		c.queues = sqs.NewFromConfig(c.aws)
		ctx, done := context.WithCancel(ctx)
		defer done()
		var handled atomic.Int64
		var last atomic.Int64 // when the last message was handled, ns
		began := time.Now()
		err = run(ctx, c, name, func() {
			if handled.Add(1) == n {
				last.Store(int64(time.Since(began)))
				done()
			}
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			return 0, err
		}

		_, err = c.queues.DeleteQueue(context.WithoutCancel(ctx), &sqs.DeleteQueueInput{QueueUrl: &url})
		if last.Load() == 0 {
			return 0, errors.Join(fmt.Errorf("%d of %d messages were handled", handled.Load(), n), err)
		}
		// The deletes of the last few are not timed. They are a thousandth of all.
		return float64(n) / time.Duration(last.Load()).Seconds(), err
	}
}

// slow is an HTTP client whose calls take longer, as those to AWS do.
type slow struct {
	next   aws.HTTPClient
	longer time.Duration
}

func (s slow) Do(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.longer):
		return s.next.Do(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// fill creates a queue with n messages.
func fill(ctx context.Context, client *sqs.Client, name string, n int64) (url string, err error) {
	q, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		return "", err
	}

	in := &sqs.SendMessageBatchInput{QueueUrl: q.QueueUrl}
	for i := range 10 {
		in.Entries = append(in.Entries, stypes.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(strings.Repeat("x", messageBytes))})
	}
	for range n / 10 {
		out, err := client.SendMessageBatch(ctx, in)
		if err != nil {
			return "", err
		}
		if len(out.Failed) > 0 {
			return "", errors.New("messages were refused")
		}
	}
	return *q.QueueUrl, nil
}

// batchLoop is what many programs have instead of a worker: receive ten, handle them
// one by one, delete the ten, again. It has no heartbeat, no tries and no drain.
func batchLoop(ctx context.Context, c clients, queue string, handled func()) error {
	q, err := c.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return err
	}

	for ctx.Err() == nil {
		out, err := c.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q.QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			return err
		}
		if len(out.Messages) == 0 {
			continue
		}

		in := &sqs.DeleteMessageBatchInput{QueueUrl: q.QueueUrl}
		for i, m := range out.Messages {
			handled()
			in.Entries = append(in.Entries, stypes.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
		}
		if _, err := c.queues.DeleteMessageBatch(context.WithoutCancel(ctx), in); err != nil {
			return err
		}
	}
	return nil
}

// batchLoops is so many batch loops at the same time.
func batchLoops(n int) consumer {
	return func(ctx context.Context, c clients, queue string, handled func()) error {
		errs := make([]error, n)
		var loops sync.WaitGroup
		for i := range n {
			loops.Go(func() { errs[i] = batchLoop(ctx, c, queue, handled) })
		}
		loops.Wait()
		return errors.Join(errs...)
	}
}

// worker is sqsworker with so many messages in flight.
func worker(inFlight int) consumer {
	return func(ctx context.Context, c clients, queue string, handled func()) error {
		w, err := sqsworker.New(sqsworker.Options{
			Client: c.queues, Queue: queue, MaxInFlight: inFlight,
			Handler: sqsworker.HandlerFunc(func(context.Context, sqsworker.Message) sqsworker.Result {
				handled()
				return sqsworker.Done()
			}),
		})
		if err != nil {
			return err
		}
		return w.Run(ctx)
	}
}

// watermill is Watermill's SQS subscriber. A subscription receives a batch, and then
// handles and deletes one message after the other; so subscriptions times batch are
// in flight at most. The default is one subscription with a batch of 1.
func watermill(subscriptions, batch int) consumer {
	return func(ctx context.Context, c clients, queue string, handled func()) error {
		s, err := wsqs.NewSubscriber(wsqs.SubscriberConfig{
			AWSConfig: c.aws,
			GenerateReceiveMessageInput: func(_ context.Context, url wsqs.QueueURL) (*sqs.ReceiveMessageInput, error) {
				return &sqs.ReceiveMessageInput{
					QueueUrl: aws.String(string(url)), MaxNumberOfMessages: int32(batch), WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
				}, nil
			},
		}, nil)
		if err != nil {
			return err
		}

		var handlers sync.WaitGroup
		for range subscriptions {
			messages, err := s.Subscribe(ctx, queue)
			if err != nil {
				return errors.Join(err, s.Close())
			}
			handlers.Go(func() {
				for m := range messages {
					handled()
					m.Ack()
				}
			})
		}
		handlers.Wait()
		return s.Close()
	}
}
