package console

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queueAPI is what the console needs of SQS.
type queueAPI interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// askQueue returns a queue's counts.
func (g *gatherer) askQueue(ctx context.Context, name string) (QueueCounts, error) {
	var q QueueCounts
	url, err := g.queueURL(ctx, name)
	if err != nil {
		return q, err
	}

	out, err := g.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}})
	if err != nil {
		// Perhaps the queue was deleted and created again elsewhere.
		g.forgetURL(name)
		return q, err
	}

	for attribute, count := range map[types.QueueAttributeName]*int{
		types.QueueAttributeNameApproximateNumberOfMessages:           &q.Visible,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible: &q.InFlight,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed:    &q.Delayed,
	} {
		if *count, err = strconv.Atoi(out.Attributes[string(attribute)]); err != nil {
			return q, fmt.Errorf("%s: %w", attribute, err) // a count that is missing is not 0
		}
	}
	return q, nil
}

// queueNow returns a queue as last heard of. What goes wrong is told in words.
func queueNow(name string, p *part[QueueCounts], now time.Time) Queue {
	q := Queue{Name: name, Dead: strings.Contains(name, "-dlq")}
	counts, heard, fresh := p.look(now)
	if !heard.IsZero() {
		q.HeardAt, q.QueueCounts = orNil(heard), &counts
	}

	var missing *types.QueueDoesNotExist
	switch {
	case fresh:
	case errors.As(p.failure(), &missing):
		q.Error = "it does not exist; is it deployed?"
	default:
		q.Error = noAnswer
	}
	return q
}

// noAnswer is the error of a queue of which SQS says nothing.
const noAnswer = "SQS does not answer"

func (g *gatherer) queueURL(ctx context.Context, name string) (string, error) {
	g.urlLock.Lock()
	url, ok := g.urls[name]
	g.urlLock.Unlock()
	if ok {
		return url, nil
	}

	out, err := g.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return "", err
	}

	g.urlLock.Lock()
	defer g.urlLock.Unlock()

	g.urls[name] = aws.ToString(out.QueueUrl)
	return g.urls[name], nil
}

func (g *gatherer) forgetURL(name string) {
	g.urlLock.Lock()
	defer g.urlLock.Unlock()
	delete(g.urls, name)
}
