// Command limits makes a queue and a stream of its own, asks each for a little more than
// AWS allows, prints the answer, and deletes them again. It takes about 70 seconds: the
// shortest time for which a queue keeps a message is a minute.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"tandem/services/internal/awsclient"
)

const mebibyte = 1 << 20

func main() {
	ctx, name := context.Background(), aws.String("limits-"+strconv.FormatInt(time.Now().UnixNano(), 36))
	cfg := must(awsclient.New(ctx, awsclient.Config{})) // AWS_ENDPOINT_URL says where
	cfg.RetryMaxAttempts = 1                            // or the SDK would hide a refusal
	queues, streams := sqs.NewFromConfig(cfg), kinesis.NewFromConfig(cfg)

	queue := must(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name, Attributes: map[string]string{"MessageRetentionPeriod": "60"}})).QueueUrl
	defer func() { must(queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: queue})) }()
	must(streams.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(1)}))
	defer func() { must(streams.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: name})) }()
	must(0, kinesis.NewStreamExistsWaiter(streams).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: name}, time.Minute))

	sent := time.Now()
	keep(ctx, queues, queue)
	size(ctx, queues, queue, streams, name)
	shard(ctx, streams, name)
	for time.Since(sent) < 60*time.Second {
		time.Sleep(time.Second)
	}
	fmt.Printf("after a minute: the queue has %s messages\n", waiting(ctx, queues, queue))
}

// keep sends a message that nobody receives, to a queue that keeps it for a minute.
func keep(ctx context.Context, client *sqs.Client, queue *string) {
	must(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("not wanted yet")}))
	fmt.Printf("at first: the queue has %s messages\n", waiting(ctx, client, queue))
}

func waiting(ctx context.Context, client *sqs.Client, queue *string) string {
	out := must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages"}}))
	return out.Attributes["ApproximateNumberOfMessages"]
}

// size sends a byte more than a mebibyte to both.
func size(ctx context.Context, queues *sqs.Client, queue *string, streams *kinesis.Client, stream *string) {
	body := strings.Repeat("x", mebibyte+1)
	//excerpt:size
	_, err := queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body})
	fmt.Println("a message of 1 MiB and a byte:", answer(err))
	_, err = streams.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: stream, PartitionKey: aws.String("k"), Data: []byte(body)})
	fmt.Println("a record of 1 MiB and a byte:", answer(err))
	//excerpt:end
}

// shard puts as many records as three calls may have, at once, on one shard.
func shard(ctx context.Context, client *kinesis.Client, stream *string) {
	records := make([]kinesistypes.PutRecordsRequestEntry, 501)
	for i := range records {
		records[i] = kinesistypes.PutRecordsRequestEntry{PartitionKey: aws.String("k"), Data: []byte("x")}
	}
	_, err := client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: stream, Records: records})
	fmt.Println("a call with 501 records:", answer(err))

	//excerpt:shard
	taken, refused := 0, map[string]int{}
	for range 3 {
		out := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: stream, Records: records[:500]}))
		for _, r := range out.Records { // each has its own answer
			if r.ErrorCode != nil {
				refused[*r.ErrorCode]++
			} else {
				taken++
			}
		}
	}
	//excerpt:end
	for code, n := range refused {
		fmt.Printf("1500 records at once: %d taken, %d refused with %s\n", taken, n, code)
	}
	if len(refused) == 0 {
		fmt.Printf("1500 records at once: %d taken\n", taken)
	}
}

// answer is the code with which a call was refused.
func answer(err error) string {
	if refusal := smithy.APIError(nil); errors.As(err, &refusal) {
		return "refused with " + refusal.ErrorCode()
	}
	return fmt.Sprint("taken, ", err)
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
