package sqsworker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queueURL finds a queue's URL once, and again after forget.
type queueURL struct {
	client Client
	name   string

	mu  sync.Mutex
	url string
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
	out, err := q.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &q.name})
	var missing *types.QueueDoesNotExist
	switch {
	case errors.As(err, &missing):
		q.forget(err)
		return "", &SetupError{fmt.Sprintf("queue %s does not exist: deploy it", q.name), err}
	case err != nil:
		return "", fmt.Errorf("sqsworker: queue %s: %w", q.name, err)
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	q.url = aws.ToString(out.QueueUrl)
	return q.url, nil
}

// forget drops the URL if err says that the queue does not exist: a recreated
// queue may have another URL.
func (q *queueURL) forget(err error) {
	var missing *types.QueueDoesNotExist
	if !errors.As(err, &missing) {
		return
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	q.url = ""
}
