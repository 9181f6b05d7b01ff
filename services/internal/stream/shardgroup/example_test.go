package shardgroup_test

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// counter counts records by key: rows and checkpoint in one transaction, so
// each record counts once whatever dies.
type counter struct{ pool *pgxpool.Pool }

func (c counter) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		for _, r := range b.Records {
			if _, err := tx.Exec(ctx, `INSERT INTO counts VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET n = counts.n + 1`, r.Key); err != nil {
				return err
			}
		}
		return commit(ctx, tx)
	})
}

func Example() {
	run := func(ctx context.Context, client shardreader.Client, pool *pgxpool.Pool, worker string) error {
		g, err := shardgroup.New(shardgroup.Options{
			Client: client, Stream: "driver-locations", Pool: pool, Name: "counter", Worker: worker,
			Processor: func(string) shardgroup.Processor { return counter{pool} },
		})
		if err != nil {
			return err
		}
		return g.Run(ctx) // returns when ctx has ended and all is given back
	}
	_ = run
}
