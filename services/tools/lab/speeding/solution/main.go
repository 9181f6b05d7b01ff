// Command speeding reads where the cars were from the stream, and prints how many
// drivers were faster than a limit:
//
//	speeding 60       since the oldest record that the stream still has
//	speeding 60 1m    since a minute ago
//
// It is a reader of its own. It keeps nothing, so each run begins where you say.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"golang.org/x/sync/errgroup"

	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardreader"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: speeding KILOMETRES-PER-HOUR [SINCE]")
	}
	f := finding{limit: must(strconv.ParseFloat(os.Args[1], 64)), drivers: map[string]bool{}}
	start := shardreader.Horizon()
	if len(os.Args) == 3 {
		start = shardreader.At(time.Now().Add(-must(time.ParseDuration(os.Args[2]))))
	}
	if err := f.read(context.Background(), start); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d points since %s\n", f.points, f.since.Local().Format(time.TimeOnly))
	fmt.Printf("%d drivers were faster than %g km/h\n", len(f.drivers), f.limit)
}

type finding struct { // so far
	mu      sync.Mutex
	limit   float64 // km/h
	points  int
	since   time.Time // the oldest point
	drivers map[string]bool
}

var errEnd = errors.New("nothing is left to read")

// read reads all shards side by side, each up to its end for now.
func (f *finding) read(ctx context.Context, start shardreader.Start) error {
	cfg := must(awsclient.New(ctx, awsclient.Config{})) // AWS_ENDPOINT_URL says where
	//excerpt:read
	reader := must(shardreader.New(shardreader.Options{Client: kinesis.NewFromConfig(cfg), Stream: event.Stream, Empty: true}))
	var shards errgroup.Group
	for _, s := range must(reader.Shards(ctx)) {
		shards.Go(func() error {
			err := reader.Shard(ctx, s.ID, start, func(_ context.Context, b shardreader.Batch) error {
				f.take(b)
				if b.Behind == 0 {
					return errEnd
				}
				return nil // and the next batch comes
			})
			if errors.Is(err, errEnd) {
				return nil
			}
			return err
		})
	}
	return shards.Wait()
	//excerpt:end
}

// take looks at the points of one batch.
func (f *finding) take(b shardreader.Batch) {
	f.mu.Lock() // another shard's batch may come at the same time
	defer f.mu.Unlock()
	//excerpt:take
	for _, r := range b.Records {
		p, err := event.DecodePoint(r.Key, r.Data)
		if err != nil {
			continue // not a point
		}
		if f.points++; f.since.IsZero() || p.Time().Before(f.since) {
			f.since = p.Time()
		}
		if p.Speed != nil && *p.Speed*3.6 > f.limit {
			f.drivers[p.Driver] = true
		}
	}
	//excerpt:end
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
