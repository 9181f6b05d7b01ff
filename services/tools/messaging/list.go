package messaging

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// listed is what the account has of one kind's names in the template.
type listed struct {
	what        string // in the plural
	looked, has []string
}

func (l listed) String() string {
	switch len(l.has) {
	case 0:
		return fmt.Sprintf("%s: none of %s", l.what, strings.Join(l.looked, ", "))
	case len(l.looked):
		return fmt.Sprintf("%s: %s", l.what, strings.Join(l.has, ", "))
	}
	return fmt.Sprintf("%s: %s (of %s)", l.what, strings.Join(l.has, ", "), strings.Join(l.looked, ", "))
}

type listing []listed

func (l listing) any() bool { return len(l.names()) > 0 }

func (l listing) names() (names []string) {
	for _, k := range l {
		names = append(names, k.has...)
	}
	return names
}

// list asks each service for all that it has, and keeps the template's names.
func (t *tool) list(ctx context.Context) (listing, error) {
	var out listing
	for _, k := range []struct {
		kind, what string
		all        func(context.Context, []string) ([]string, error)
	}{
		{kindQueue, "queues", t.queues},
		{kindStream, "streams", t.streams},
		{kindConsumer, "stream consumers", t.consumers},
		{kindTopic, "topics", t.topics},
		{kindAlarm, "alarms", t.alarmNames},
	} {
		l := listed{what: k.what, looked: t.template.named(k.kind)}
		if len(l.looked) == 0 {
			continue
		}

		all, err := k.all(ctx, l.looked)
		if err != nil {
			return nil, fmt.Errorf("messaging: list %s: %w", k.what, err)
		}
		for _, name := range all {
			if slices.Contains(l.looked, name) {
				l.has = append(l.has, name)
			}
		}
		slices.Sort(l.has)
		out = append(out, l)
	}
	return out, nil
}

func (t *tool) queues(ctx context.Context, _ []string) (names []string, err error) {
	pages := sqs.NewListQueuesPaginator(t.sqs, &sqs.ListQueuesInput{MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, url := range page.QueueUrls {
			names = append(names, path.Base(url))
		}
	}
	return names, nil
}

func (t *tool) streams(ctx context.Context, _ []string) (names []string, err error) {
	pages := kinesis.NewListStreamsPaginator(t.kinesis, &kinesis.ListStreamsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		names = append(names, page.StreamNames...)
	}
	return names, nil
}

// consumers returns those of the template's streams: without its stream no
// consumer exists.
func (t *tool) consumers(ctx context.Context, _ []string) (names []string, err error) {
	all, err := t.streams(ctx, nil)
	if err != nil {
		return nil, err
	}

	for _, stream := range t.template.named(kindStream) {
		if !slices.Contains(all, stream) {
			continue
		}

		s, err := t.kinesis.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
		if err != nil {
			return nil, err
		}
		pages := kinesis.NewListStreamConsumersPaginator(t.kinesis, &kinesis.ListStreamConsumersInput{StreamARN: s.StreamDescriptionSummary.StreamARN})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, c := range page.Consumers {
				names = append(names, aws.ToString(c.ConsumerName))
			}
		}
	}
	return names, nil
}

func (t *tool) topics(ctx context.Context, _ []string) (names []string, err error) {
	pages := sns.NewListTopicsPaginator(t.sns, &sns.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, topic := range page.Topics {
			arn := aws.ToString(topic.TopicArn)
			names = append(names, arn[strings.LastIndex(arn, ":")+1:])
		}
	}
	return names, nil
}

func (t *tool) alarmNames(ctx context.Context, looked []string) (names []string, err error) {
	pages := cloudwatch.NewDescribeAlarmsPaginator(t.alarms, &cloudwatch.DescribeAlarmsInput{AlarmNames: looked})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.MetricAlarms {
			names = append(names, aws.ToString(a.AlarmName))
		}
	}
	return names, nil
}
