package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	ktypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/stream/shardreader"
)

// fanOutRows are how long a record takes from the call that puts it to a reader that is
// one of three.
func fanOutRows() []row {
	return []row{{
		name: "put to reader, three readers, p50", unit: "ms", aim: 0.35, less: true, once: true,
		ours: subject{"fan-out", func(ctx context.Context, c clients) (float64, error) { return putToReader(ctx, c, true) }},
		peer: subject{"polling once a second", func(ctx context.Context, c clients) (float64, error) { return putToReader(ctx, c, false) }},
	}}
}

const (
	readers   = 3
	putEvery  = 45 * time.Millisecond // no divisor of a second: a reader's turn must not decide
	latencies = 100                   // records
)

// putToReader returns the median of all records and readers, in ms.
func putToReader(ctx context.Context, c clients, fanOut bool) (ms float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	stream, err := newStream(ctx, c.limited)
	if err != nil {
		return 0, err
	}

	var mu sync.Mutex
	var took []float64
	put := make(map[string]time.Time, latencies) // by the record's data
	seen, errs := make([]int, readers), make([]error, readers+1)
	reading, done := context.WithCancel(ctx)
	defer done()
	handle := func(reader int) shardreader.Handler {
		return func(_ context.Context, b shardreader.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			for _, r := range b.Records {
				took = append(took, float64(time.Since(put[string(r.Data)]).Microseconds())/1000)
				seen[reader]++
			}
			if len(took) == readers*latencies {
				done()
			}
			return nil
		}
	}

	var all sync.WaitGroup
	for i := range readers {
		o := shardreader.Options{Client: c.limited, Stream: stream, PollEvery: time.Second}
		if fanOut {
			arn, err := register(ctx, c.limited, stream, fmt.Sprint("reader-", i))
			if err != nil {
				return 0, err
			}
			o.FanOut = shardreader.FanOutOf(c.limited)
			o.Consumer = func() (context.Context, string) { return context.Background(), arn }
		}
		r, err := shardreader.New(o)
		if err != nil {
			return 0, err
		}
		all.Go(func() {
			// From the beginning: what is put before a reader's first call counts too.
			if errs[i] = r.All(reading, shardreader.Horizon(), handle(i)); errs[i] != nil {
				done()
			}
		})
	}

	all.Go(func() {
		errs[readers] = putEach(reading, c.limited, stream, func(data string) {
			mu.Lock()
			defer mu.Unlock()
			put[data] = time.Now()
		})
		if errs[readers] != nil {
			done()
		}
	})
	all.Wait()
	if len(took) != readers*latencies {
		return 0, errors.Join(append(errs, fmt.Errorf("of %d records the readers have %v", latencies, seen))...)
	}
	return median(took), nil
}

// putEach puts the records one by one, and calls putting before each.
func putEach(ctx context.Context, client *kinesis.Client, stream string, putting func(data string)) error {
	tick := time.NewTicker(putEvery)
	defer tick.Stop()
	for i := range latencies {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		data := fmt.Sprint("record-", i)
		putting(data)
		if _, err := client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: aws.String("k"), Data: []byte(data)}); err != nil {
			return err
		}
	}
	return nil
}

// register returns the ARN of a new consumer of the stream that may be used.
func register(ctx context.Context, client *kinesis.Client, stream, name string) (arn string, err error) {
	d, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
	if err != nil {
		return "", err
	}
	out, err := client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{StreamARN: d.StreamDescriptionSummary.StreamARN, ConsumerName: &name})
	if err != nil {
		return "", err
	}
	for {
		c, err := client.DescribeStreamConsumer(ctx, &kinesis.DescribeStreamConsumerInput{ConsumerARN: out.Consumer.ConsumerARN})
		if err != nil {
			return "", err
		}
		if c.ConsumerDescription.ConsumerStatus == ktypes.ConsumerStatusActive {
			return *out.Consumer.ConsumerARN, nil
		}

		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
