// Package conformance is what an endpoint of SQS and Kinesis promises, as one
// suite through the unmodified AWS SDK. It runs against the emulator in this
// process, or against CONFORMANCE_ENDPOINT. Each case names the AWS page that
// it rests on.
package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/awsclient"
)

// Run runs every case against the endpoint.
func Run(t *testing.T, endpoint awsclient.Config) {
	t.Helper()
	cfg, err := awsclient.New(t.Context(), endpoint)
	require.NoError(t, err)
	s := &suite{sqs: sqs.NewFromConfig(cfg), kinesis: kinesis.NewFromConfig(cfg)}
	for _, c := range append(queueCases(), streamCases()...) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, s)
		})
	}
}

type suite struct {
	sqs     *sqs.Client
	kinesis *kinesis.Client
}

// kase is one promise; page is the AWS page that it rests on.
type kase struct {
	name, page string
	run        func(t *testing.T, s *suite)
}

const (
	sqsAPI     = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/"
	sqsGuide   = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
	kinesisAPI = "https://docs.aws.amazon.com/kinesis/latest/APIReference/"
)

func unique(prefix string) string {
	return prefix + "-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
}

func requireCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	// SQS's errors keep the code of its older protocol, which had a prefix.
	require.Equal(t, code, strings.TrimPrefix(api.ErrorCode(), "AWS.SimpleQueueService."))
}

func (s *suite) queue(t *testing.T, attributes map[string]string) string {
	t.Helper()
	name := unique("conformance")
	if attributes["FifoQueue"] == "true" {
		name += ".fifo"
	}
	out, err := s.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, _ = s.sqs.DeleteQueue(context.WithoutCancel(t.Context()), &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
	})
	return *out.QueueUrl
}

func (s *suite) send(t *testing.T, url string, bodies ...string) {
	t.Helper()
	for i, b := range bodies {
		in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &b}
		if strings.HasSuffix(url, ".fifo") {
			in.MessageGroupId, in.MessageDeduplicationId = aws.String(b[:1]), aws.String(fmt.Sprint(b, i))
		}
		_, err := s.sqs.SendMessage(t.Context(), in)
		require.NoError(t, err)
	}
}

func (s *suite) stream(t *testing.T, shards int32) string {
	t.Helper()
	name := unique("conformance")
	_, err := s.kinesis.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, _ = s.kinesis.DeleteStream(context.WithoutCancel(t.Context()), &kinesis.DeleteStreamInput{StreamName: &name})
	})
	require.Eventually(t, func() bool {
		out, err := s.kinesis.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &name})
		return err == nil && out.StreamDescriptionSummary.StreamStatus == "ACTIVE"
	}, 30*time.Second, 50*time.Millisecond)
	return name
}
