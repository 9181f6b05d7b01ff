package outbox_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tandem/services/internal/queue/outbox"
)

// An order and its message are promised in one transaction, and a relay sends
// the message.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	pool, closePool := newDatabase() // in a program: pgxpool.New(ctx, url)
	defer closePool()
	drop := createOutbox(pool, "shop") // in a program: goose or psql, see The table
	defer drop()
	client := newFakeSQS("orders") // in a program: sqs.NewFromConfig(cfg)
	box := outbox.New("shop", "outbox")

	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// Your rows first: they lock what the key names.
		if _, err := tx.Exec(ctx, `CREATE TABLE shop.orders AS SELECT 7 AS id`); err != nil {
			return err
		}
		return box.Add(ctx, tx, outbox.Message{
			ID: uuid.NewString(), Queue: "orders", Key: "order 7", Body: []byte(`{"order": 7}`),
		})
	})
	fmt.Println("committed:", err)

	relay, err := outbox.NewRelay(outbox.Options{Pool: pool, Client: client, Box: box, Queues: []string{"orders"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error)
	go func() { ended <- relay.Run(ctx) }()

	fmt.Println("received:", client.receive("orders"))
	stop()
	fmt.Println("stopped:", <-ended)
	// Output:
	// committed: <nil>
	// received: {"order": 7}
	// stopped: <nil>
}
