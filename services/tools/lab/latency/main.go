// Command latency measures how long it takes from a send until a reader has it, for each
// way to read, and prints the median: half of them were faster.
//
//	queue, long poll     one worker that waits in ReceiveMessage
//	stream, N polling    each calls GetRecords as often as the shard allows
//	stream, fan-out      a consumer, to which the stream sends what arrives
package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardreader"
)

const sends = 30 // a little more than three a second

func main() {
	ctx, name := context.Background(), aws.String("latency-"+strconv.FormatInt(time.Now().UnixNano(), 36))
	cfg := must(awsclient.New(ctx, awsclient.Config{})) // AWS_ENDPOINT_URL says where
	queues, streams := sqs.NewFromConfig(cfg), kinesis.NewFromConfig(cfg)

	queue := must(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name})).QueueUrl
	defer func() { must(queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: queue})) }()
	must(streams.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(1)}))
	defer func() {
		must(streams.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: name, EnforceConsumerDeletion: aws.Bool(true)}))
	}()
	must(0, kinesis.NewStreamExistsWaiter(streams).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: name}, time.Minute))

	now := func() string { return strconv.FormatInt(time.Now().UnixMicro(), 10) }
	send := func() {
		must(queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String(now())}))
	}
	put := func() {
		must(streams.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: name, PartitionKey: aws.String("k"), Data: []byte(now())}))
	}

	measure("queue, long poll", send, 1, func(ctx context.Context, got func(string)) { receive(ctx, queues, queue, got) })
	for _, n := range []int{1, 3, 6} {
		measure(fmt.Sprintf("stream, %d polling", n), put, n, func(ctx context.Context, got func(string)) {
			read(ctx, shardreader.Options{Client: streams, Stream: *name, PollEvery: 200 * time.Millisecond}, got)
		})
	}

	arn := must(streams.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name})).StreamDescriptionSummary.StreamARN
	consumer := must(streams.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{StreamARN: arn, ConsumerName: name})).Consumer.ConsumerARN
	measure("stream, fan-out", put, 1, func(ctx context.Context, got func(string)) {
		read(ctx, shardreader.Options{
			Client: streams, Stream: *name, FanOut: shardreader.FanOutOf(streams),
			Consumer: func() (context.Context, string) { return ctx, *consumer },
		}, got)
	})
}

// measure starts the readers, sends, and prints the median of the times until each had it.
func measure(what string, send func(), readers int, read func(ctx context.Context, got func(string))) {
	ctx, cancel := context.WithCancel(context.Background())
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	for range readers {
		all.Go(func() {
			read(ctx, func(sent string) {
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(time.UnixMicro(must(strconv.ParseInt(sent, 10, 64)))))
			})
		})
	}

	time.Sleep(time.Second) // so that they wait before the first send
	for range sends {
		send()
		time.Sleep(300 * time.Millisecond)
	}
	time.Sleep(2 * time.Second) // for who polls seldom
	cancel()
	all.Wait()
	slices.Sort(took)
	fmt.Printf("%-18s  median %4d ms\n", what, took[len(took)/2].Milliseconds())
}

func receive(ctx context.Context, client *sqs.Client, queue *string, got func(string)) {
	for ctx.Err() == nil {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
		if err != nil {
			return // ended
		}
		for _, m := range out.Messages {
			got(*m.Body)
			_, _ = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: m.ReceiptHandle}) // else it comes again in 30 s, and this is over
		}
	}
}

func read(ctx context.Context, o shardreader.Options, got func(string)) {
	reader := must(shardreader.New(o))
	must(0, reader.All(ctx, shardreader.Latest(), func(_ context.Context, b shardreader.Batch) error {
		for _, r := range b.Records {
			got(string(r.Data))
		}
		return nil
	}))
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
