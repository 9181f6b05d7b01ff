package conformance

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func consumerCases() []testCase {
	register := kinesisAPI + "API_RegisterStreamConsumer.html"
	return []testCase{
		promise("a consumer is registered and becomes ACTIVE", register,
			"CREATING, then ACTIVE; it has an ARN and a creation time.", registerConsumer),
		promise("a consumer's name is taken once in a stream", register,
			"ResourceInUseException; names need not be unique across streams.", registerTwice),
		promise("a stream has up to 20 consumers", register,
			"You can register up to 20 consumers per stream; LimitExceededException.", twentyConsumers, needsLimits),
		promise("a consumer is described by ARN or by name", kinesisAPI+"API_DescribeStreamConsumer.html",
			"The ARN of the consumer, or the ARN of the stream and the consumer's name.", describeConsumer),
		promise("consumers are listed by page", kinesisAPI+"API_ListStreamConsumers.html",
			"MaxResults and NextToken.", listConsumers),
		promise("a consumer is deregistered", kinesisAPI+"API_DeregisterStreamConsumer.html",
			"DELETING, then ResourceNotFoundException.", deregister),
		promise("a stream with consumers is deleted only if that is said", kinesisAPI+"API_DeleteStream.html",
			"Without EnforceConsumerDeletion a stream that has consumers is not deleted: ResourceInUseException.", deleteWithConsumers),
	}
}

func (c *caseRun) register(stream, name string) (*types.Consumer, error) {
	out, err := c.kinesis.RegisterStreamConsumer(c.ctx, &kinesis.RegisterStreamConsumerInput{StreamARN: &stream, ConsumerName: &name})
	if err != nil {
		return nil, err
	}
	return out.Consumer, nil
}

func (c *caseRun) describe(consumer string) (*types.ConsumerDescription, error) {
	out, err := c.kinesis.DescribeStreamConsumer(c.ctx, &kinesis.DescribeStreamConsumerInput{ConsumerARN: &consumer})
	if err != nil {
		return nil, err
	}
	return out.ConsumerDescription, nil
}

// consumer registers a consumer and waits until it is ACTIVE.
func (c *caseRun) consumer(stream, name string) (arn string) {
	out, err := c.register(c.streamARN(stream), name)
	require.NoError(c, err)

	c.eventually("the consumer is ACTIVE", func() bool {
		d, err := c.describe(*out.ConsumerARN)
		return err == nil && d.ConsumerStatus == types.ConsumerStatusActive
	})

	return *out.ConsumerARN
}

func registerConsumer(c *caseRun) {
	name := c.stream(1)
	arn := c.streamARN(name)
	out, err := c.register(arn, "reader")
	require.NoError(c, err)

	require.Equal(c, "reader", *out.ConsumerName)
	require.NotNil(c, out.ConsumerCreationTimestamp)
	require.Contains(c, []types.ConsumerStatus{"CREATING", "ACTIVE"}, out.ConsumerStatus)
	require.Contains(c, *out.ConsumerARN, arn+"/consumer/reader:")

	c.eventually("it is ACTIVE", func() bool {
		d, err := c.describe(*out.ConsumerARN)
		return err == nil && d.ConsumerStatus == types.ConsumerStatusActive
	})

	s, err := c.summary(name)
	require.NoError(c, err)
	require.EqualValues(c, 1, *s.ConsumerCount)
}

func registerTwice(c *caseRun) {
	one, other := c.stream(1), c.stream(1)
	c.consumer(one, "reader")

	_, err := c.register(c.streamARN(one), "reader")
	c.refused(err, "ResourceInUseException")

	c.consumer(other, "reader")
}

func twentyConsumers(c *caseRun) {
	name := c.stream(1)
	for i := range 20 {
		c.consumer(name, fmt.Sprint("reader-", i))
	}

	// The client that does not retry: LimitExceededException counts as
	// throttling.
	_, err := c.kinesis.RegisterStreamConsumer(c.ctx, &kinesis.RegisterStreamConsumerInput{StreamARN: ptr(c.streamARN(name)), ConsumerName: ptr("reader-20")},
		func(o *kinesis.Options) { o.Retryer = c.once.Options().Retryer })
	c.refused(err, "LimitExceededException")
}

func describeConsumer(c *caseRun) {
	name := c.stream(1)
	stream, arn := c.streamARN(name), c.consumer(name, "reader")

	d, err := c.describe(arn)
	require.NoError(c, err)
	require.Equal(c, stream, *d.StreamARN)

	out, err := c.kinesis.DescribeStreamConsumer(c.ctx, &kinesis.DescribeStreamConsumerInput{StreamARN: &stream, ConsumerName: ptr("reader")})
	require.NoError(c, err)
	require.Equal(c, arn, *out.ConsumerDescription.ConsumerARN)
	require.Equal(c, *d.ConsumerCreationTimestamp, *out.ConsumerDescription.ConsumerCreationTimestamp)

	_, err = c.kinesis.DescribeStreamConsumer(c.ctx, &kinesis.DescribeStreamConsumerInput{StreamARN: &stream, ConsumerName: ptr("none")})
	c.refused(err, "ResourceNotFoundException")
}

func listConsumers(c *caseRun) {
	name := c.stream(1)
	arn := c.streamARN(name)
	want := []string{"a", "b", "c"}
	for _, n := range want {
		c.consumer(name, n)
	}

	var got []string
	in := &kinesis.ListStreamConsumersInput{StreamARN: &arn, MaxResults: ptr(int32(2))}
	for range 5 {
		out, err := c.kinesis.ListStreamConsumers(c.ctx, in)
		require.NoError(c, err)
		require.LessOrEqual(c, len(out.Consumers), 2)

		for _, one := range out.Consumers {
			got = append(got, *one.ConsumerName)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}

	slices.Sort(got)
	require.Equal(c, want, got)
}

func deregister(c *caseRun) {
	name := c.stream(1)
	arn := c.consumer(name, "reader")

	_, err := c.kinesis.DeregisterStreamConsumer(c.ctx, &kinesis.DeregisterStreamConsumerInput{ConsumerARN: &arn})
	require.NoError(c, err)
	c.eventually("it is gone", func() bool {
		_, err := c.describe(arn)
		return codeOf(err) == "ResourceNotFoundException"
	})

	c.pause(1100 * time.Millisecond) // the ARN holds whole seconds
	again := c.consumer(name, "reader")
	require.NotEqual(c, arn, again, "a consumer's ARN has its creation time")
}

func deleteWithConsumers(c *caseRun) {
	name := c.stream(1)
	c.consumer(name, "reader")

	_, err := c.kinesis.DeleteStream(c.ctx, &kinesis.DeleteStreamInput{StreamName: &name})
	c.refused(err, "ResourceInUseException")

	_, err = c.kinesis.DeleteStream(c.ctx, &kinesis.DeleteStreamInput{StreamName: &name, EnforceConsumerDeletion: ptr(true)})
	require.NoError(c, err)
}
