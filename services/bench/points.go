package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/shardreader"
)

const (
	leastPoints = 20_000 // a second
	wantPoints  = 20_800 // what is sent: more, because the last acknowledgements come after the last point
	drivers     = 2_000
	perBatch    = 10 // points that a driver sends in one batch
	shards      = 4
)

// points sends GPS points at wantPoints a second through the producer that
// location uses, against AWS's limits, and reads every one of them back.
func points(ctx context.Context, c clients, d time.Duration) (perSecond float64, err error) {
	name := c.stream + "-points"
	if _, err := c.streams.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(shards)}); err != nil {
		return 0, err
	}

	backend, err := profile.BackendByName(profile.Emulator)
	if err != nil {
		return 0, err
	}

	p, err := kinesisproducer.New(kinesisproducer.Options{Client: c.streams, Stream: name, Buckets: backend.Buckets, Linger: profile.Default().Linger})
	if err != nil {
		return 0, err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, time.Second) }()

	var acked atomic.Int64
	errs := make([]error, drivers)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range drivers {
		wg.Go(func() { errs[i] = drive(ctx, p, i, began, d, &acked) })
	}
	wg.Wait()

	took := time.Since(began)
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}

	if err := readBack(ctx, c.streams, name, acked.Load()); err != nil {
		return 0, err
	}
	cancel()
	return float64(acked.Load()) / took.Seconds(), <-ended
}

// drive sends one driver's batches, each at its time and one in flight, which
// keeps the driver's order.
func drive(ctx context.Context, p *kinesisproducer.Producer, driver int, began time.Time, d time.Duration, acked *atomic.Int64) error {
	const every = time.Second * drivers * perBatch / wantPoints
	id := fmt.Sprintf("driver-%04d", driver)
	seq := began.UnixMilli()

	// The drivers' turns are spread evenly over the period, as on the road.
	for next := began.Add(every * time.Duration(driver) / drivers); next.Before(began.Add(d)); next = next.Add(every) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(next)):
		}

		batch := make([][]byte, perBatch)
		for i := range batch {
			seq++
			b, err := event.Point{Driver: id, Seq: seq, Lat: -34.9, Lon: -56.16, Speed: new(8.3), Heading: new(90.0)}.Encode()
			if err != nil {
				return err
			}
			batch[i] = b
		}

		n, err := p.Put(ctx, id, batch...)
		// A failed Put may have stored a prefix, which counts as well.
		acked.Add(int64(n))
		if err != nil {
			return err
		}
	}
	return nil
}

// readBack reads the stream until it has seen want points.
func readBack(ctx context.Context, client *kinesis.Client, name string, want int64) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	var got atomic.Int64
	r, err := shardreader.New(shardreader.Options{Client: client, Stream: name, PollEvery: 250 * time.Millisecond, CatchUpBytes: 2 << 20})
	if err != nil {
		return err
	}
	err = r.All(ctx, shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
		if got.Add(int64(len(b.Records))) >= want {
			cancel()
		}
		return nil
	})

	if got.Load() < want {
		return fmt.Errorf("%d points were acknowledged and %d can be read: %w", want, got.Load(), cmp.Or(err, ctx.Err()))
	}
	return nil
}
