package sqsworker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"time"

	"tandem/services/internal/queue/sqstest"
	"tandem/services/internal/queue/sqsworker"
)

// A worker ships the orders of a queue until it is told to stop.
func Example() {
	// In a program: client := sqs.NewFromConfig(cfg)
	client := sqstest.New()
	orders := client.Queue("orders", sqstest.Settings{DeadLetterQueue: "orders-dlq", MaxReceives: 10})
	orders.Send("order 1", "order 2", "unreadable")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	var settled atomic.Int64
	tell := func(_ context.Context, m sqsworker.Message, o sqsworker.Outcome, _ time.Duration) {
		fmt.Printf("%s, receive %d: %s\n", m.Body, m.Receives, o)
		if settled.Add(1) == 4 {
			stop() // ends this example; a program waits for its signal
		}
	}

	//excerpt:worker
	ship := sqsworker.HandlerFunc(func(_ context.Context, m sqsworker.Message) sqsworker.Result {
		order, ok := strings.CutPrefix(string(m.Body), "order ")
		if !ok { // another try would read it no better
			return sqsworker.DeadLetter(errors.New("not an order"))
		}
		if order == "2" && m.Receives == 1 {
			return sqsworker.RetryAfter(time.Second, errors.New("the warehouse does not answer"))
		}
		fmt.Println("shipped order", order) // commit your work first, then return Done
		return sqsworker.Done()
	})

	worker, err := sqsworker.New(sqsworker.Options{
		Client: client, Queue: "orders", DeadLetterQueue: "orders-dlq", Tries: 5,
		Handler: ship, Handled: tell,
	})
	if err != nil {
		fmt.Println(err) // an option is missing or wrong
		return
	}
	fmt.Println("drained:", worker.Run(ctx)) // blocks until ctx ends
	//excerpt:end
	// Unordered output:
	// shipped order 1
	// order 1, receive 1: done
	// order 2, receive 1: retried
	// unreadable, receive 1: dead
	// shipped order 2
	// order 2, receive 2: done
	// drained: <nil>
}
