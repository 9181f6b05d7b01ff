package shardreader_test

import (
	"context"
	"errors"
	"fmt"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// A reader that keeps its state in memory reads all shards, and starts anew
// when the stream was made anew.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	stream := fakestream.New("shard-0") // kinesis.NewFromConfig(cfg)
	stream.Put("shard-0", "driver-7", []byte("here"))

	r := shardreader.New(shardreader.Options{Client: stream, Stream: "driver-locations"})
	start := shardreader.Horizon()
	for {
		err := r.All(ctx, start, func(_ context.Context, b shardreader.Batch) error {
			for _, rec := range b.Records {
				fmt.Println(rec.Key, string(rec.Data))
			}
			cancel() // enough for an example
			return nil
		})
		if !errors.Is(err, shardreader.ErrStreamChanged) {
			fmt.Println(err)
			return
		}
		start = shardreader.Horizon()
	}
	// Output:
	// driver-7 here
	// context canceled
}
