package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/problem"
)

// Client is what is needed of *sqs.Client.
type Client interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
	StartMessageMoveTask(context.Context, *sqs.StartMessageMoveTaskInput, ...func(*sqs.Options)) (*sqs.StartMessageMoveTaskOutput, error)
	ListMessageMoveTasks(context.Context, *sqs.ListMessageMoveTasksInput, ...func(*sqs.Options)) (*sqs.ListMessageMoveTasksOutput, error)
	CancelMessageMoveTask(context.Context, *sqs.CancelMessageMoveTaskInput, ...func(*sqs.Options)) (*sqs.CancelMessageMoveTaskOutput, error)
}

// Options is what a Tool needs.
type Options struct {
	Client Client
	// Pool is a database with the schemas ride and operations.
	Pool *pgxpool.Pool
	Log  *slog.Logger // nil: none
	// Hold is for how long a message is hidden while somebody looks or acts; whole
	// seconds; 0: 15 s.
	Hold time.Duration
}

// Tool looks at dead letters and acts on them. It is safe for concurrent use. Its
// errors are problems (*problem.Error): a sentence for people, which says what to do.
type Tool struct {
	o      Options
	rides  *ride.Store
	queues []*queue
}

// New returns a Tool for the dead-letter queues of ride-requests and notifications.fifo,
// and for the outbox. It calls nothing.
func New(o Options) *Tool {
	o.Hold = cmp.Or(o.Hold, 15*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	return &Tool{
		o:     o,
		rides: ride.NewStore(o.Pool, profile.Profile{}), // it only reads, and needs no times
		queues: []*queue{
			{name: event.QueueRideRequestsDead, source: event.QueueRideRequests},
			{name: event.QueueNotificationsDead, source: event.QueueNotifications},
		},
	}
}

// Places returns where dead letters are: the dead-letter queues, and the outbox.
func (t *Tool) Places() []string {
	var out []string
	for _, q := range t.queues {
		out = append(out, q.name)
	}
	return append(out, Outbox)
}

// queue is a dead-letter queue and where its messages came from.
type queue struct {
	name, source string
	// using is held by whoever receives, so that of this process's looks and acts none
	// hides messages from another.
	using sync.Mutex
}

func (q *queue) fifo() bool { return isFIFO(q.source) }

func (t *Tool) queue(name string) (*queue, error) {
	i := slices.IndexFunc(t.queues, func(q *queue) bool { return q.name == name })
	switch {
	case i >= 0:
		return t.queues[i], nil
	case name == Outbox:
		return nil, problem.New(problem.NotFound, "SQS moves what is on its queues; rows of the outbox are sent again one by one, each by its id.")
	}
	return nil, problem.New(problem.NotFound, "There is no place %q of dead letters; these are: %s.", shorten(name, 80), strings.Join(t.Places(), ", "))
}

// url looks a queue up. It is not remembered: people are slow, and a queue that was
// deleted and created again may have another URL.
func (t *Tool) url(ctx context.Context, name string) (*string, error) {
	out, err := t.o.Client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	var missing *types.QueueDoesNotExist
	switch {
	case errors.As(err, &missing):
		return nil, problem.Wrap(err, problem.Unavailable, "The queue %s does not exist: deploy it first.", name)
	case err != nil:
		return nil, silent(err)
	}
	return out.QueueUrl, nil
}

// attributes returns a queue's ARN and its counts.
func (t *Tool) attributes(ctx context.Context, url *string) (map[string]string, error) {
	out, err := t.o.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameQueueArn, types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		return nil, silent(err)
	}
	return out.Attributes, nil
}

// silent is the problem of a call that changed nothing, and got no good answer.
func silent(err error) error {
	return problem.Wrap(err, problem.Unavailable, "SQS did not answer as it should, and nothing was done. Try again.")
}

// arn returns a queue's ARN.
func (t *Tool) arn(ctx context.Context, name string) (string, error) {
	url, err := t.url(ctx, name)
	if err != nil {
		return "", err
	}
	a, err := t.attributes(ctx, url)
	if err == nil && a[string(types.QueueAttributeNameQueueArn)] == "" {
		err = silent(fmt.Errorf("deadletter: %s has no ARN", name))
	}
	return a[string(types.QueueAttributeNameQueueArn)], err
}

func text(s *string) string { return aws.ToString(s) }
