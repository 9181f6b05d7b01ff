// Command hello-queue sends numbered messages to a queue (hello-queue send 20), or
// receives and deletes them (hello-queue receive anna).
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() {
	if len(os.Args) != 3 || os.Args[1] != "send" && os.Args[1] != "receive" {
		log.Fatal("usage: hello-queue send NUMBER | receive NAME")
	}
	ctx := context.Background()
	client := sqs.NewFromConfig(must(config.LoadDefaultConfig(ctx)))                                // AWS_ENDPOINT_URL says where
	queue := must(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: new("hello")})).QueueUrl // or finds it

	if os.Args[1] == "send" {
		for i := range must(strconv.Atoi(os.Args[2])) {
			must(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: new(strconv.Itoa(i + 1))}))
		}
		return
	}

	//excerpt:receive
	for got := 0; ; got++ {
		out := must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 3}))
		if len(out.Messages) == 0 { // three seconds without one
			fmt.Println(os.Args[2], "has", got)
			return
		}
		must(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: out.Messages[0].ReceiptHandle}))
	}
	//excerpt:end
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
