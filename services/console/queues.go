package console

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queueAPI is what the console needs of SQS.
type queueAPI interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// askQueue returns a queue's counts. What goes wrong is told in them.
func (g *gatherer) askQueue(ctx context.Context, name string) Queue {
	q := Queue{Name: name, Dead: strings.Contains(name, "-dlq")}
	url, err := g.queueURL(ctx, name)
	if err != nil {
		q.Error = "it cannot be found; is it deployed?"
		return q
	}

	out, err := g.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}})
	if err != nil {
		// Perhaps the queue was deleted and created again elsewhere.
		g.forgetURL(name)
		q.Error = "SQS did not answer."
		return q
	}

	count := func(k types.QueueAttributeName) int { n, _ := strconv.Atoi(out.Attributes[string(k)]); return n }
	q.Visible = count(types.QueueAttributeNameApproximateNumberOfMessages)
	q.InFlight = count(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)
	q.Delayed = count(types.QueueAttributeNameApproximateNumberOfMessagesDelayed)
	return q
}

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
