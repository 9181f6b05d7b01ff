package main

import (
	"context"
	"crypto/md5" //nolint:gosec // SQS's checksum
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	ktypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	stypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/internal/awsclient"
)

func sum(text string) string {
	s := md5.Sum([]byte(text)) //nolint:gosec // see above
	return hex.EncodeToString(s[:])
}

// callers is how many calls are under way at the same time.
const callers = 8

// The sizes of what is sent: a point as location writes it, and a ride request.
const (
	recordBytes  = 121
	messageBytes = 200
)

// load is one operation; its rate counts the records or messages, not the calls.
type load struct {
	name, unit string
	least      float64 // of the stub's rate
	run        func(ctx context.Context, c clients, d time.Duration) (perSecond float64, err error)
}

func loads() []load {
	return []load{
		{"PutRecords (500 a call)", "records/s", 0.6, putRecords},
		{"GetRecords (500 a call)", "records/s", 0.6, getRecords},
		{"SendMessageBatch (10 a call)", "messages/s", 0.6, send},
		{"ReceiveMessage + DeleteMessageBatch", "messages/s", 0.4, receive},
	}
}

// clients call one endpoint, with a stream and a queue of their own.
type clients struct {
	aws     aws.Config
	streams *kinesis.Client
	queues  *sqs.Client
	stream  string
	queue   *string
	db      database // of the rows that need one
	// Of the stream's rows: the server with AWS's limits, and the folder of the packages'
	// benchmarks.
	limited    *kinesis.Client
	benchmarks string
}

func connect(ctx context.Context, endpoint string) (clients, error) {
	cfg, err := awsclient.New(ctx, awsclient.Config{Endpoint: endpoint})
	if err != nil {
		return clients{}, err
	}
	c := clients{aws: cfg, streams: kinesis.NewFromConfig(cfg), queues: sqs.NewFromConfig(cfg), stream: fmt.Sprint("bench-", time.Now().UnixNano())}

	if _, err := c.streams.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &c.stream, ShardCount: aws.Int32(1)}); err != nil {
		return c, err
	}

	q, err := c.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &c.stream})
	if err != nil {
		return c, err
	}
	c.queue = q.QueueUrl

	for {
		s, err := c.streams.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &c.stream})
		if err != nil {
			return c, err
		}
		if s.StreamDescriptionSummary.StreamStatus == ktypes.StreamStatusActive {
			return c, nil
		}

		select {
		case <-ctx.Done():
			return c, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// during calls one from several callers concurrently until d has passed, and returns
// how many records or messages a second they report.
func during(ctx context.Context, d time.Duration, one func(ctx context.Context, caller int) (int, error)) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var n atomic.Int64
	errs := make([]error, callers)
	began := time.Now()
	var wg sync.WaitGroup

	for i := range callers {
		wg.Go(func() {
			for time.Since(began) < d && errs[i] == nil {
				done, err := one(ctx, i)
				n.Add(int64(done))
				// An error of one caller ends the others: a rate without it would mean nothing.
				if errs[i] = err; err != nil {
					cancel()
				}
			}
		})
	}

	wg.Wait()
	return float64(n.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}

func putRecords(ctx context.Context, c clients, d time.Duration) (float64, error) {
	data := []byte(strings.Repeat("x", recordBytes))
	in := &kinesis.PutRecordsInput{StreamName: &c.stream}
	for i := range 500 {
		in.Records = append(in.Records, ktypes.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(fmt.Sprint("driver-", i))})
	}

	return during(ctx, d, func(ctx context.Context, _ int) (int, error) {
		out, err := c.streams.PutRecords(ctx, in)
		if err != nil {
			return 0, err
		}

		if *out.FailedRecordCount > 0 {
			return 0, errors.New("records were refused: are the limits off?")
		}
		return len(out.Records), nil
	})
}

// getRecords reads what putRecords wrote, and at the end begins again.
func getRecords(ctx context.Context, c clients, d time.Duration) (float64, error) {
	first, err := c.streams.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &c.stream, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: ktypes.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return 0, err
	}

	at := make([]*string, callers)
	return during(ctx, d, func(ctx context.Context, i int) (int, error) {
		if at[i] == nil {
			at[i] = first.ShardIterator
		}

		out, err := c.streams.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: at[i], Limit: aws.Int32(500)})
		if err != nil {
			return 0, err
		}

		at[i] = out.NextShardIterator
		if *out.MillisBehindLatest == 0 {
			at[i] = nil
		}
		return len(out.Records), nil
	})
}

func send(ctx context.Context, c clients, d time.Duration) (float64, error) {
	in := &sqs.SendMessageBatchInput{QueueUrl: c.queue}
	for i := range 10 {
		in.Entries = append(in.Entries, stypes.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(strings.Repeat("x", messageBytes))})
	}

	return during(ctx, d, func(ctx context.Context, _ int) (int, error) {
		out, err := c.queues.SendMessageBatch(ctx, in)
		if err != nil {
			return 0, err
		}
		return len(out.Successful), nil
	})
}

// receive sends more before it receives, because it may be faster than send, whose
// messages are in the queue already.
func receive(ctx context.Context, c clients, d time.Duration) (float64, error) {
	if _, err := send(ctx, c, d); err != nil {
		return 0, err
	}

	return during(ctx, d, func(ctx context.Context, _ int) (int, error) {
		out, err := c.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: c.queue, MaxNumberOfMessages: 10})
		if err != nil {
			return 0, err
		}
		if len(out.Messages) == 0 {
			return 0, errors.New("the queue is empty: nothing is measured")
		}

		in := &sqs.DeleteMessageBatchInput{QueueUrl: c.queue}
		for i, m := range out.Messages {
			in.Entries = append(in.Entries, stypes.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
		}

		gone, err := c.queues.DeleteMessageBatch(ctx, in)
		if err != nil {
			return 0, err
		}
		return len(gone.Successful), nil
	})
}
