package kinesisproducer_test

import (
	"context"
	"fmt"
	"time"

	"tandem/services/internal/stream/kinesisproducer"
)

// A driver's points are put in order, and stay in order whatever fails.
func Example() {
	client := newFakeStream(1) // kinesis.NewFromConfig(cfg)
	p, err := kinesisproducer.New(kinesisproducer.Options{
		Client: client, Stream: "driver-locations", Buckets: 6, Linger: 20 * time.Millisecond,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx, 10*time.Second) }() // at the end: 10 s for what waits

	points := [][]byte{[]byte("depot"), []byte("bridge"), []byte("harbour")}
	for len(points) > 0 {
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		acked, err := p.Put(within, "driver-7", points...)
		cancel()
		if err != nil {
			fmt.Println("sending the rest again:", err)
		}
		points = points[acked:] // what is acknowledged is durable, and is a prefix
	}

	stop()
	fmt.Println("Run returned", <-ended) // an error would say what was left unsent
	fmt.Printf("%s\n", client.stored["driver-7"])
	// Output:
	// Run returned <nil>
	// [depot bridge harbour]
}
