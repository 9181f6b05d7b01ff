// Command order sends numbered messages, reads them again, and counts how many came
// after one with a greater number: received, and finished.
//
//	order standard   a standard queue, four workers
//	order fifo       a FIFO queue with one message group, four workers
//	order groups     a FIFO queue with ten groups, four workers
//	order shard      a stream with one shard, one reader
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/internal/awsclient"
)

const (
	messages = 200
	workers  = 4
	groups   = 10
)

// one is a message as it came: its number, and the group that it is in order in.
type one struct {
	n     int
	group string
}

// tally is the order in which messages came to a point on their way.
type tally struct {
	mu   sync.Mutex
	came []one
}

func (t *tally) add(o one) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.came = append(t.came, o)
}

// late counts who came after a greater number, of all and within its group.
func (t *tally) late() (overall, within int) {
	greatest := map[string]int{}
	for _, o := range t.came {
		if o.n < greatest[""] {
			overall++
		}
		if o.n < greatest[o.group] {
			within++
		}
		greatest[""], greatest[o.group] = max(greatest[""], o.n), max(greatest[o.group], o.n)
	}
	return overall, within
}

func main() {
	kind := strings.Join(os.Args[1:], " ")
	ctx := context.Background()
	cfg := must(awsclient.New(ctx, awsclient.Config{})) // AWS_ENDPOINT_URL says where

	var received, finished tally
	work := func(o one) {
		received.add(o)
		time.Sleep(rand.N(20 * time.Millisecond)) // no two pieces of work take the same time
		finished.add(o)
	}
	switch kind {
	case "standard", "fifo", "groups":
		queue(ctx, sqs.NewFromConfig(cfg), kind, work)
	case "shard":
		shard(ctx, kinesis.NewFromConfig(cfg), work)
	default:
		log.Fatal("usage: order standard | fifo | groups | shard")
	}

	for _, t := range []struct {
		name string
		*tally
	}{{"received", &received}, {"finished", &finished}} {
		overall, within := t.late()
		fmt.Printf("%s: %d messages %s, %d came after a greater number", kind, len(t.came), t.name, overall)
		if kind == "groups" {
			fmt.Printf(", %d after one of their own group", within)
		}
		fmt.Println()
	}
}

// queue sends to a new queue, and lets four workers receive until it is empty.
func queue(ctx context.Context, client *sqs.Client, kind string, work func(one)) {
	name, attributes := "order-"+strconv.FormatInt(time.Now().UnixNano(), 36), map[string]string{}
	if kind != "standard" {
		name += ".fifo"
		attributes = map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}
	}
	url := must(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})).QueueUrl
	defer func() { must(client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url})) }()

	//excerpt:send
	for n := range messages {
		in := &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(strconv.Itoa(n + 1))}
		switch kind {
		case "fifo":
			in.MessageGroupId = aws.String("one")
		case "groups":
			in.MessageGroupId = aws.String(strconv.Itoa(n % groups))
		}
		must(client.SendMessage(ctx, in))
	}

	var all sync.WaitGroup
	for range workers {
		all.Go(func() { receive(ctx, client, url, work) })
	}
	all.Wait()
	//excerpt:end
}

func receive(ctx context.Context, client *sqs.Client, url *string, work func(one)) {
	for {
		out := must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: url, MaxNumberOfMessages: 1, WaitTimeSeconds: 2,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameMessageGroupId},
		}))
		if len(out.Messages) == 0 {
			return
		}
		m := out.Messages[0]
		work(one{must(strconv.Atoi(*m.Body)), m.Attributes["MessageGroupId"]})
		must(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle}))
	}
}

// shard puts on a new stream of one shard under ten keys, and reads it to the end.
func shard(ctx context.Context, client *kinesis.Client, work func(one)) {
	name := aws.String("order-" + strconv.FormatInt(time.Now().UnixNano(), 36))
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(1)}))
	must(0, kinesis.NewStreamExistsWaiter(client).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: name}, time.Minute))
	defer func() { must(client.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: name})) }()

	for n := range messages {
		key := aws.String(strconv.Itoa(n % groups))
		must(client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: name, PartitionKey: key, Data: []byte(strconv.Itoa(n + 1))}))
	}

	id := must(client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: name})).Shards[0].ShardId
	next := must(client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: name, ShardId: id, ShardIteratorType: kinesistypes.ShardIteratorTypeTrimHorizon})).ShardIterator
	for {
		out := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next}))
		for _, r := range out.Records {
			work(one{must(strconv.Atoi(string(r.Data))), *r.PartitionKey})
		}
		if next = out.NextShardIterator; *out.MillisBehindLatest == 0 {
			return
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
