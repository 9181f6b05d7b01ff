package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	ktypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/kpl"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

const (
	keptBytes  = 62 << 20 // on a shard: half a minute of what it serves
	keptRecord = 25_000   // bytes of a record
)

// catchers read the points that one shard keeps, and call got with how many more they
// have.
var catchers = map[string]func(ctx context.Context, c clients, stream string, points int, got func(int)) error{
	"shardgroup": inGroup, "GetRecords loop": plainly, "harlow/kinesis-consumer": byHarlow,
}

// readRows have a shard of its own for each way of reading, with AWS's limits: what is
// compared is how much of what a shard serves they take. So they read at the same time,
// and one run takes half a minute.
func readRows() []row {
	var r race
	compare := func(peer string, aim float64) row {
		return row{name: "catch up, limits on", unit: "points/s", aim: aim, once: true, ours: r.runner("shardgroup"), peer: r.runner(peer)}
	}
	return []row{compare("GetRecords loop", 0.9), compare("harlow/kinesis-consumer", 1)}
}

// race is one run of all catchers.
type race struct {
	once  sync.Once
	rates map[string]float64
	err   error
}

func (r *race) runner(name string) subject {
	return subject{name, func(ctx context.Context, c clients) (float64, error) {
		r.once.Do(func() { r.rates, r.err = catchUp(ctx, c) })
		return r.rates[name], r.err
	}}
}

// catchUp fills a stream for each catcher while there are no limits, starts the server
// again with limits, and returns how many points a second each has read.
func catchUp(ctx context.Context, c clients) (rates map[string]float64, err error) {
	dir, err := os.MkdirTemp("", "tandem-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	filling, stop, err := start(ctx, "unlimited", dir)
	if err != nil {
		return nil, err
	}
	points, streams := 0, map[string]string{}
	for name := range catchers {
		if streams[name], points, err = keep(ctx, filling.streams); err != nil {
			return nil, errors.Join(err, stop())
		}
	}
	if err := stop(); err != nil {
		return nil, err
	}

	limited, stop, err := start(ctx, "limited", dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stop() }()
	limited.db, limited.benchmarks = c.db, c.benchmarks

	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	rates = map[string]float64{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for name, read := range catchers {
		all.Go(func() {
			rate, one := timed(ctx, points, func(ctx context.Context, got func(int)) error { return read(ctx, limited, streams[name], points, got) })
			mu.Lock()
			defer mu.Unlock()
			rates[name] = rate
			if one != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", name, one))
			}
		})
	}
	all.Wait()
	return rates, err
}

// timed ends read when it has got all points, and returns how many a second it got.
func timed(ctx context.Context, points int, read func(context.Context, func(int)) error) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var n, took atomic.Int64
	began := time.Now()
	err := read(ctx, func(got int) {
		if now := n.Add(int64(got)); now >= int64(points) && took.CompareAndSwap(0, int64(time.Since(began))) {
			cancel()
		}
	})
	if took.Load() == 0 {
		return 0, errors.Join(fmt.Errorf("%d of %d points were read", n.Load(), points), err)
	}
	return float64(points) / time.Duration(took.Load()).Seconds(), nil
}

// keep creates a stream of one shard with keptBytes of points, as kinesisproducer puts
// them.
func keep(ctx context.Context, client *kinesis.Client) (stream string, points int, err error) {
	if stream, err = newStream(ctx, client); err != nil {
		return "", 0, err
	}
	data, err := aPoint(time.Now().UnixMilli())
	if err != nil {
		return "", 0, err
	}
	hash := kpl.Buckets(0).HashKey(0)
	agg := kpl.NewAggregate(hash, keptRecord)
	for i := 0; agg.Add(fmt.Sprintf("driver-%012x", i), data); i++ {
	}
	record, err := agg.Encode()
	if err != nil {
		return "", 0, err
	}

	const each = 100
	in := &kinesis.PutRecordsInput{StreamName: &stream}
	for range each {
		in.Records = append(in.Records, ktypes.PutRecordsRequestEntry{Data: record, PartitionKey: aws.String("k"), ExplicitHashKey: &hash})
	}
	for sent := 0; sent < keptBytes; sent += each * len(record) {
		out, err := client.PutRecords(ctx, in)
		if err != nil {
			return "", 0, err
		}
		if *out.FailedRecordCount > 0 {
			return "", 0, errors.New("records were refused: are the limits off?")
		}
		points += each * agg.Len()
	}
	return stream, points, nil
}

// plainly calls GetRecords as often as a shard lets, and again after it was refused. It
// keeps no checkpoint.
func plainly(ctx context.Context, c clients, stream string, _ int, got func(int)) error {
	at, err := c.streams.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &stream, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: ktypes.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return err
	}

	tick := time.NewTicker(time.Second / 5)
	defer tick.Stop()
	for next := at.ShardIterator; ctx.Err() == nil; <-tick.C {
		out, err := c.streams.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next}, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} })
		if err != nil {
			var tooMuch *ktypes.ProvisionedThroughputExceededException
			if !errors.As(err, &tooMuch) && ctx.Err() == nil {
				return err
			}
			continue
		}
		for _, r := range out.Records {
			users, err := kpl.Deaggregate(r.Data, *r.PartitionKey)
			if err != nil {
				return err
			}
			got(len(users))
		}
		next = out.NextShardIterator
	}
	return nil
}

// inGroup is a consumer group of one worker, whose batches write nothing but their
// checkpoints.
func inGroup(ctx context.Context, c clients, stream string, _ int, got func(int)) error {
	rows := func(_ context.Context, _ pgx.Tx, b shardreader.Batch) error { //nolint:unparam // as InTx wants it
		got(len(b.Records))
		return nil
	}
	g, err := shardgroup.New(shardgroup.Options{
		Client: c.streams, Stream: stream, Pool: c.db.flushed, Name: stream, Worker: shardgroup.WorkerID(),
		Processor: func(string) shardgroup.Processor { return shardgroup.InTx(c.db.flushed, rows) },
	})
	if err != nil {
		return err
	}
	return g.Run(ctx)
}

// byHarlow is harlow/kinesis-consumer, in a program of its own.
func byHarlow(ctx context.Context, c clients, stream string, points int, got func(int)) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.benchmarks, "harlow"), aws.ToString(c.aws.BaseEndpoint), c.aws.Region, stream, strconv.Itoa(points))
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	got(points)
	return nil
}
