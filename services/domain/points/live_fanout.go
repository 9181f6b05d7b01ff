package points

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// lease makes the lease of one of the reader's consumers.
func (f *Live) lease() *shardgroup.ConsumerLease {
	list := shardreader.New(shardreader.Options{Client: f.o.Client, FanOut: f.o.FanOut, Stream: f.o.Stream})
	return shardgroup.NewConsumerLease(shardgroup.ConsumerLeaseOptions{
		Open: func(ctx context.Context) (*pgxpool.Pool, error) {
			return postgres.Open(ctx, f.o.DatabaseURL, postgres.PoolOptions{App: f.o.Name, MaxConns: 1, LeaseTime: f.o.Lease})
		},
		List: list.Consumers, Prefix: f.o.Name + "-", Worker: shardgroup.WorkerID(),
		Lease: f.o.Lease, Log: f.o.Log,
	})
}

// mode says how the shards are read, for people.
func (f *Live) mode(shards []shardreader.ShardState) string {
	if f.name == nil {
		return "polling"
	}
	open, pushed := 0, 0
	for _, s := range shards {
		if s.Closed {
			continue
		}
		open++
		if s.FanOut {
			pushed++
		}
	}
	name, why := f.name.Held()
	switch {
	case name == "":
		return fmt.Sprintf("polling: %v", why)
	case pushed < open || open == 0:
		return fmt.Sprintf("fan-out as %s for %d of %d shards", name, pushed, open)
	}
	return "fan-out as " + name
}
