// Command poison sends the numbers 1 to 20 to consumers that can do every number but 7:
//
//	poison queue          a queue that sets a message aside after three receives
//	poison stream         a shard with one reader, which must not leave anything out
//	poison stream park    the same, and the reader may write 7 down and go on
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardreader"
)

const (
	numbers  = 20
	tries    = 3
	patience = 10 * time.Second
)

// work is what both consumers do.
func work(number string) error {
	if number == "7" {
		return errors.New("7 cannot be done")
	}
	return nil
}

func main() {
	ctx := context.Background()
	cfg := must(awsclient.New(ctx, awsclient.Config{})) // AWS_ENDPOINT_URL says where
	name := "poison-" + strconv.FormatInt(time.Now().UnixNano(), 36)

	switch strings.Join(os.Args[1:], " ") {
	case "queue":
		queue(ctx, sqs.NewFromConfig(cfg), name)
	case "stream":
		stream(ctx, kinesis.NewFromConfig(cfg), name, false)
	case "stream park":
		stream(ctx, kinesis.NewFromConfig(cfg), name, true)
	default:
		log.Fatal("usage: poison queue | stream | stream park")
	}
}

func queue(ctx context.Context, client *sqs.Client, name string) {
	aside := must(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: new(name + "-aside")})).QueueUrl
	arn := must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aside, AttributeNames: all()})).Attributes["QueueArn"]
	url := must(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn": %q, "maxReceiveCount": %d}`, arn, tries),
	}})).QueueUrl
	for n := range numbers {
		must(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: new(strconv.Itoa(n + 1))}))
	}

	//excerpt:queue
	failed, done := 0, map[string]bool{} // a standard queue may deliver one twice
	for {
		out := must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, VisibilityTimeout: 1, WaitTimeSeconds: 3}))
		if len(out.Messages) == 0 {
			break // nothing has come for three seconds
		}
		m := out.Messages[0]
		if err := work(*m.Body); err != nil {
			failed++
			continue // not deleted: the queue shows it again in a second
		}
		must(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle}))
		done[*m.Body] = true
	}
	//excerpt:end
	fmt.Printf("queue: %d done; %d tries failed\n", len(done), failed)
	fmt.Printf("queue: %s messages wait, %s set aside\n", count(ctx, client, url), count(ctx, client, aside))
}

func stream(ctx context.Context, client *kinesis.Client, name string, park bool) {
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: new(int32(1))}))
	must(0, kinesis.NewStreamExistsWaiter(client).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name}, time.Minute))
	for n := range numbers {
		must(client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &name, PartitionKey: new("key"), Data: []byte(strconv.Itoa(n + 1))}))
	}
	reader := must(shardreader.New(shardreader.Options{Client: client, Stream: name}))
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()

	//excerpt:stream
	done, failed, parked := 0, 0, 0
	var at shardreader.Position // the last record that is done with
	var lag time.Duration
	handle := func(_ context.Context, b shardreader.Batch) error {
		for _, r := range b.Records {
			switch err := work(string(r.Data)); {
			case err == nil:
				done++
			case park:
				parked++ // a real program writes it down first
			default:
				lag = time.Since(r.Arrived)
				return err // everything behind it waits
			}
			at, lag = r.Position, 0
		}
		if done+parked == numbers {
			stop()
		}
		return nil
	}
	for ctx.Err() == nil {
		if err := reader.All(ctx, shardreader.After(at), handle); err != nil {
			failed++
			time.Sleep(time.Second)
		}
	}
	//excerpt:end
	fmt.Printf("stream: %d done; %d tries failed\n", done, failed)
	fmt.Printf("stream: %d records wait, %d parked, %.0f s behind\n", numbers-done-parked, parked, lag.Seconds())
}

func count(ctx context.Context, client *sqs.Client, url *string) string {
	return must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: all()})).Attributes["ApproximateNumberOfMessages"]
}

func all() []types.QueueAttributeName { return []types.QueueAttributeName{types.QueueAttributeNameAll} }

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
