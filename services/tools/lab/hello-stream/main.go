// Command hello-stream puts numbered records on a stream (hello-stream put 20), or
// reads all that it has (hello-stream read anna).
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

func main() {
	if len(os.Args) != 3 || os.Args[1] != "put" && os.Args[1] != "read" {
		log.Fatal("usage: hello-stream put NUMBER | read NAME")
	}
	ctx, hello := context.Background(), new("hello")
	client := kinesis.NewFromConfig(must(config.LoadDefaultConfig(ctx)))                                      // AWS_ENDPOINT_URL says where
	_, _ = client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: hello, ShardCount: new(int32(1))}) // or it exists
	must(0, kinesis.NewStreamExistsWaiter(client).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: hello}, time.Minute))

	if os.Args[1] == "put" {
		for i := range must(strconv.Atoi(os.Args[2])) {
			must(client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: hello, PartitionKey: new("key"), Data: []byte(strconv.Itoa(i + 1))}))
		}
		return
	}

	//excerpt:read
	shard := must(client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: hello})).Shards[0].ShardId
	next := must(client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: hello, ShardId: shard, ShardIteratorType: "TRIM_HORIZON"})).ShardIterator
	got := 0
	for behind := int64(1); behind > 0; { // until nothing is left to read
		out := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next}))
		got, next, behind = got+len(out.Records), out.NextShardIterator, *out.MillisBehindLatest
	}
	fmt.Println(os.Args[2], "has", got)
	//excerpt:end
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
