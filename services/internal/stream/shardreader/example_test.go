package shardreader_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// A reader that remembers a position for each shard stops, and goes on where it
// was.
func Example() {
	stream := fakestream.New("shard-0", "shard-1") // kinesis.NewFromConfig(cfg)
	r, err := shardreader.New(shardreader.Options{Client: stream, Stream: "driver-locations"})
	if err != nil {
		fmt.Println(err) // an option is missing or wrong
		return
	}

	var mu sync.Mutex                          // different shards are handled at once
	saved := map[string]shardreader.Position{} // keep it with what you write, in one transaction
	read := func(until string) {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		start := shardreader.After(slices.Collect(maps.Values(saved))...) // none yet: the oldest records

		err := r.All(ctx, start, func(_ context.Context, b shardreader.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			for _, rec := range b.Records {
				fmt.Println(b.Shard, rec.Key, string(rec.Data))
				if string(rec.Data) == until {
					stop()
				}
			}
			saved[b.Shard] = b.Next
			return nil
		})
		fmt.Println("stopped:", err)
	}

	stream.Put("shard-0", "driver-7", []byte("depot"))
	read("depot")
	stream.Put("shard-0", "driver-7", []byte("bridge"))
	read("bridge")
	// Output:
	// shard-0 driver-7 depot
	// stopped: <nil>
	// shard-0 driver-7 bridge
	// stopped: <nil>
}

// A reader that keeps nothing follows what arrives, and a recreated stream from
// its beginning.
func ExampleReader_All() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	stream := fakestream.New("shard-0") // kinesis.NewFromConfig(cfg)
	stream.Put("shard-0", "driver-7", []byte("depot"))

	//excerpt:reader
	r, err := shardreader.New(shardreader.Options{Client: stream, Stream: "driver-locations"})
	if err != nil {
		fmt.Println(err) // an option is missing or wrong
		return
	}
	start := shardreader.Horizon() // Latest, to begin with what arrives next
	for {
		err := r.All(ctx, start, func(_ context.Context, b shardreader.Batch) error {
			for _, rec := range b.Records {
				fmt.Println(rec.Key, string(rec.Data))
			}
			stop() // enough for an example
			return nil
		})
		if !errors.Is(err, shardreader.ErrStreamChanged) {
			fmt.Println(err) // nil: ctx has ended
			return
		}
		start = shardreader.Horizon()
	}
	//excerpt:end
	// Output:
	// driver-7 depot
	// <nil>
}

// By enhanced fan-out records come as they arrive, and take nothing of what the
// polling readers share.
func ExampleOptions_fanOut() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	stream := fakestream.New("shard-0") // kinesis.NewFromConfig(cfg)
	arn := stream.Register("map-1")     // as RegisterStreamConsumer does
	stream.Put("shard-0", "driver-7", []byte("depot"))

	r, err := shardreader.New(shardreader.Options{
		Client: stream, Stream: "driver-locations",
		FanOut: stream, // shardreader.FanOutOf(kinesis.NewFromConfig(cfg))
		Consumer: func() (held context.Context, consumer string) {
			return context.Background(), arn // ours for good; shardgroup.ConsumerLease shares a few
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = r.Shard(ctx, "shard-0", shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
		for _, rec := range b.Records {
			fmt.Println(rec.Key, string(rec.Data))
		}
		stop()
		return nil
	})
	fmt.Println(err, stream.Calls("GetRecords"), "polls")
	// Output:
	// driver-7 depot
	// <nil> 0 polls
}
