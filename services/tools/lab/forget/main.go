// Command forget deletes a stream with all that it holds, and creates another one of the
// same name with as many shards. That is what its readers see when LocalStack is started
// again:
//
//	forget driver-locations
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: forget STREAM")
	}
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		log.Fatal("AWS_ENDPOINT_URL is not set, so this would be a stream on AWS")
	}
	ctx, name := context.Background(), &os.Args[1]
	client := kinesis.NewFromConfig(must(config.LoadDefaultConfig(ctx)))
	described := &kinesis.DescribeStreamInput{StreamName: name}
	shards := must(client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name})).StreamDescriptionSummary.OpenShardCount

	must(client.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: name, EnforceConsumerDeletion: aws.Bool(true)}))
	must(0, kinesis.NewStreamNotExistsWaiter(client).Wait(ctx, described, time.Minute))
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: shards}))
	must(0, kinesis.NewStreamExistsWaiter(client).Wait(ctx, described, time.Minute))
	fmt.Printf("%s is a new stream with %d shards, and has nothing\n", *name, *shards)
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
