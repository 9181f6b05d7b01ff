package sqstest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func arn(queue string) string { return "arn:aws:sqs:us-east-1:000000000000:" + queue }

// GetQueueUrl returns a queue's URL.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html
//
//nolint:revive // the SDK's name
func (f *SQS) GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	url := base + aws.ToString(in.QueueName)
	c := Call{Operation: "GetQueueUrl", Queue: aws.ToString(in.QueueName), Input: in}
	return call(ctx, f, c, func(map[int]Fault) (*sqs.GetQueueUrlOutput, error) {
		return onQueue(f, &url, func(*Queue) (*sqs.GetQueueUrlOutput, error) {
			return &sqs.GetQueueUrlOutput{QueueUrl: &url}, nil
		})
	})
}

// GetQueueAttributes returns what is asked for of a queue's settings and of its counts,
// which are exact here.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
func (f *SQS) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	c := Call{Operation: "GetQueueAttributes", Queue: nameOf(in.QueueUrl), Input: in}
	return call(ctx, f, c, func(map[int]Fault) (*sqs.GetQueueAttributesOutput, error) {
		return onQueue(f, in.QueueUrl, func(q *Queue) (*sqs.GetQueueAttributesOutput, error) {
			all, out := q.attributes(time.Now()), map[string]string{}
			for _, name := range in.AttributeNames {
				value, has := all[name]
				switch {
				case name == types.QueueAttributeNameAll:
					for name, value := range all {
						out[string(name)] = value
					}
				case has:
					out[string(name)] = value
				case !slices.Contains(name.Values(), name):
					return nil, &types.InvalidAttributeName{Message: aws.String("Unknown Attribute " + string(name) + ".")}
				}
			}
			return &sqs.GetQueueAttributesOutput{Attributes: out}, nil
		})
	})
}

func (q *Queue) attributes(now time.Time) map[types.QueueAttributeName]string {
	q.expire(now)
	counts := map[State]int{}
	for _, m := range q.messages {
		counts[m.state(now)]++
	}

	seconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	out := map[types.QueueAttributeName]string{
		types.QueueAttributeNameQueueArn:                              arn(q.name),
		types.QueueAttributeNameVisibilityTimeout:                     seconds(q.set.visibility()),
		types.QueueAttributeNameDelaySeconds:                          seconds(q.set.Delay),
		types.QueueAttributeNameReceiveMessageWaitTimeSeconds:         seconds(q.set.Wait),
		types.QueueAttributeNameMessageRetentionPeriod:                seconds(q.set.retention()),
		types.QueueAttributeNameMaximumMessageSize:                    strconv.Itoa(q.set.maximumSize()),
		types.QueueAttributeNameApproximateNumberOfMessages:           strconv.Itoa(counts[Visible]),
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible: strconv.Itoa(counts[InFlight]),
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed:    strconv.Itoa(counts[Delayed]),
	}
	if q.set.DeadLetterQueue != "" {
		out[types.QueueAttributeNameRedrivePolicy] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, arn(q.set.DeadLetterQueue), q.set.MaxReceives)
	}
	if q.fifo {
		out[types.QueueAttributeNameFifoQueue] = "true"
		out[types.QueueAttributeNameContentBasedDeduplication] = strconv.FormatBool(q.set.ContentDeduplication)
	}
	return out
}
