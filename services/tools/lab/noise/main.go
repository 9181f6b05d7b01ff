// Command noise sends what nobody can read to where Tandem's own programs read:
//
//	noise queue     a message to the queue of ride requests
//	noise stream    a record to the stream of the drivers' points
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
)

func main() {
	ctx := context.Background()
	cfg := must(awsclient.New(ctx, awsclient.Config{})) // AWS_ENDPOINT_URL says where

	switch strings.Join(os.Args[1:], " ") {
	case "queue":
		client := sqs.NewFromConfig(cfg)
		queue := must(client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: new(event.QueueRideRequests)})).QueueUrl
		out := must(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: new("this is no JSON")}))
		fmt.Println("message", *out.MessageId)
	case "stream":
		out := must(kinesis.NewFromConfig(cfg).PutRecord(ctx, &kinesis.PutRecordInput{
			StreamName: new(event.Stream), PartitionKey: new("noise"), Data: []byte("this is no JSON"),
		}))
		fmt.Println("record", *out.SequenceNumber, "on", *out.ShardId)
	default:
		log.Fatal("usage: noise queue | stream")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
