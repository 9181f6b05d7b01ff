package sqsworker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queueURL finds a queue's URL once, and again after forget.
type queueURL struct {
	client Client
	name   string
	given  bool // the URL comes from the Options: nothing is asked, and nothing forgotten

	mu  sync.Mutex
	url string
}

// newQueueURL takes a queue's name or its URL, which ends with the name.
func newQueueURL(client Client, queue string) *queueURL {
	if !strings.Contains(queue, "://") {
		return &queueURL{client: client, name: queue}
	}
	return &queueURL{client: client, name: queue[strings.LastIndex(queue, "/")+1:], url: queue, given: true}
}

func (q *queueURL) get(ctx context.Context) (string, error) {
	q.mu.Lock()
	url := q.url
	q.mu.Unlock()

	if url != "" {
		return url, nil
	}
	return q.find(ctx)
}

// find asks SQS and keeps the answer.
func (q *queueURL) find(ctx context.Context) (string, error) {
	if q.given {
		return q.url, nil
	}

	out, err := q.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &q.name})
	if err != nil {
		return "", q.explain("URL of", err)
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	q.url = aws.ToString(out.QueueUrl)
	return q.url, nil
}

// forget drops the URL if err says that the queue does not exist: a recreated
// queue may have another URL.
func (q *queueURL) forget(err error) {
	if q.given || !isMissing(err) {
		return
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	q.url = ""
}

// explain wraps what SQS answered to a call about the queue. That it does not exist is
// something that a person must put right.
func (q *queueURL) explain(call string, err error) error {
	if isMissing(err) {
		return &SetupError{fmt.Sprintf("queue %s does not exist: deploy it", q.name), err}
	}
	return fmt.Errorf("sqsworker: %s %s: %w", call, q.name, err)
}

func isMissing(err error) bool {
	var missing *types.QueueDoesNotExist
	return errors.As(err, &missing)
}
