package shardgroup_test

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// countByKey counts records by key: rows and checkpoint are in one transaction, so each
// record counts once whatever dies.
func countByKey(ctx context.Context, tx pgx.Tx, b shardreader.Batch) error {
	for _, r := range b.Records {
		if _, err := tx.Exec(ctx, `INSERT INTO counts VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET n = counts.n + 1`, r.Key); err != nil {
			return err // everything rolls back, and the batch comes again
		}
	}
	return nil
}

func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	url, drop := newGroupDatabase() // in a program: CREATE SCHEMA shardgroup, and goose with shardgroup.Migrations()
	defer drop()
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, `CREATE TABLE counts (key text PRIMARY KEY, n int NOT NULL)`); err != nil {
		fmt.Println(err)
		return
	}

	stream := fakestream.New("shard-0", "shard-1") // kinesis.NewFromConfig(cfg)
	stream.Put("shard-0", "driver-7", []byte("depot"))
	stream.Put("shard-0", "driver-7", []byte("bridge"))
	stream.Put("shard-1", "driver-9", []byte("harbour"))

	var total atomic.Int64 // shards are processed at once
	rows := func(ctx context.Context, tx pgx.Tx, b shardreader.Batch) error {
		if total.Add(int64(len(b.Records))) == 3 {
			defer stop() // enough for an example: this batch is finished all the same
		}
		return countByKey(ctx, tx, b)
	}
	g, err := shardgroup.New(shardgroup.Options{
		Client: stream, Stream: "driver-locations", Pool: pool, Name: "counter", Worker: shardgroup.WorkerID(),
		Processor: func(string) shardgroup.Processor { return shardgroup.InTx(pool, rows) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("stopped:", g.Run(ctx)) // once the batches under way are done and the leases released

	counted, err := pool.Query(context.Background(), `SELECT key || ' ' || n FROM counts ORDER BY key`)
	if err != nil {
		fmt.Println(err)
		return
	}
	counts, err := pgx.CollectRows(counted, pgx.RowTo[string])
	fmt.Println(counts, err)
	// Output:
	// stopped: <nil>
	// [driver-7 2 driver-9 1] <nil>
}
