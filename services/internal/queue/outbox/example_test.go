package outbox_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqstest"
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
	client := sqstest.New() // in a program: sqs.NewFromConfig(cfg)
	orders := client.Queue("orders", sqstest.Settings{})
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

	out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(orders.URL()), WaitTimeSeconds: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("received:", *out.Messages[0].Body)
	stop()
	fmt.Println("stopped:", <-ended)
	// Output:
	// committed: <nil>
	// received: {"order": 7}
	// stopped: <nil>
}
