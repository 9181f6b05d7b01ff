package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	ktypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/stream/kinesisproducer"
)

const (
	shardBytes = 1 << 20 // that a shard takes in a second
	// A shard that was idle takes a second's worth at once, so the first seconds are not
	// counted.
	warmUp, measured = 2 * time.Second, 4 * time.Second
)

// shardRows are what one shard takes, with AWS's limits: those decide, so one run is enough.
func shardRows() []row {
	return []row{
		{
			name: "one shard, limits on", unit: "bytes/s", aim: 0.9, once: true,
			ours: subject{"kinesisproducer", func(ctx context.Context, c clients) (float64, error) {
				_, bytes, err := fillShard(ctx, c)
				return bytes, err
			}},
			peer: fixed("what a shard takes", shardBytes),
		},
		{
			name: "one shard, limits on", unit: "points/s", aim: 5, once: true,
			ours: subject{"kinesisproducer", func(ctx context.Context, c clients) (float64, error) {
				points, _, err := fillShard(ctx, c)
				return points, err
			}},
			peer: subject{"PutRecords, a record a point", plainShard},
		},
	}
}

// newStream creates a stream of one shard on the server with limits.
func newStream(ctx context.Context, client *kinesis.Client) (name string, err error) {
	name = fmt.Sprint("shard-", time.Now().UnixNano())
	_, err = client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(1)})
	return name, err
}

// between counts what is added from warmUp on, for as long as is measured.
type between struct {
	from          time.Time
	points, bytes atomic.Int64
}

func newBetween() *between { return &between{from: time.Now().Add(warmUp)} }

func (b *between) add(points, bytes int) {
	if d := time.Since(b.from); d >= 0 && d < measured {
		b.points.Add(int64(points))
		b.bytes.Add(int64(bytes))
	}
}

func (b *between) rates() (points, bytes float64) {
	return float64(b.points.Load()) / measured.Seconds(), float64(b.bytes.Load()) / measured.Seconds()
}

// fillShard has 2,000 drivers put ten points at a time, more than a shard takes.
func fillShard(ctx context.Context, c clients) (points, bytes float64, err error) {
	stream, err := newStream(ctx, c.limited)
	if err != nil {
		return 0, 0, err
	}
	backend, err := profile.BackendByName(profile.Emulator)
	if err != nil {
		return 0, 0, err
	}
	count := newBetween()
	p, err := kinesisproducer.New(kinesisproducer.Options{
		Client: c.limited, Stream: stream, Buckets: backend.Buckets, Linger: profile.Default().Linger,
		Report: func(s kinesisproducer.Stored) { count.add(s.UserRecords, s.Bytes) },
	})
	if err != nil {
		return 0, 0, err
	}

	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(running, time.Minute) }()
	putting, enough := context.WithDeadline(ctx, count.from.Add(measured))
	defer enough()

	var all sync.WaitGroup
	errs := make([]error, drivers)
	for d := range drivers {
		all.Go(func() {
			key, seq := fmt.Sprintf("driver-%012x", d), time.Now().UnixMilli()
			for putting.Err() == nil && errs[d] == nil {
				batch := make([][]byte, perBatch)
				for i := range batch {
					seq++
					batch[i], errs[d] = aPoint(seq)
				}
				if _, err := p.Put(putting, key, batch...); putting.Err() == nil {
					errs[d] = errors.Join(errs[d], err)
				}
			}
		})
	}
	all.Wait()
	stop()
	points, bytes = count.rates()
	return points, bytes, errors.Join(append(errs, <-ended)...)
}

// aPoint is a point as location puts it.
func aPoint(seq int64) ([]byte, error) {
	return event.Point{
		Seq: seq, At: seq, Lat: -34.9011123, Lon: -56.1645678, Speed: new(8.33), Heading: new(271.57), Accuracy: new(5.0), Taken: seq + 333,
	}.Encode()
}

// plainShard puts 500 records at a time, and those again that were refused, from four
// callers: each waits a moment when the shard takes nothing more.
func plainShard(ctx context.Context, c clients) (points float64, err error) {
	stream, err := newStream(ctx, c.limited)
	if err != nil {
		return 0, err
	}
	data, err := aPoint(time.Now().UnixMilli())
	if err != nil {
		return 0, err
	}
	full := &kinesis.PutRecordsInput{StreamName: &stream}
	for i := range 500 {
		full.Records = append(full.Records, ktypes.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(fmt.Sprintf("driver-%012x", i))})
	}

	count := newBetween()
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() { errs[i] = putAll(ctx, c.limited, full, count) })
	}
	all.Wait()
	points, _ = count.rates()
	return points, errors.Join(errs...)
}

func putAll(ctx context.Context, client *kinesis.Client, full *kinesis.PutRecordsInput, count *between) error {
	rest := full.Records
	for time.Since(count.from) < measured {
		out, err := client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: full.StreamName, Records: rest})
		if err != nil {
			return err
		}

		var refused []ktypes.PutRecordsRequestEntry
		for i, r := range out.Records {
			switch code := aws.ToString(r.ErrorCode); {
			case code == "":
				count.add(1, len(rest[i].Data))
			case strings.HasPrefix(code, "ProvisionedThroughputExceeded"):
				refused = append(refused, rest[i])
			default:
				return fmt.Errorf("a record was refused: %s", code)
			}
		}
		if rest = refused; len(rest) > 0 {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		rest = full.Records
	}
	return nil
}
