package points

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// newLease returns the lease of one of the reader's consumers.
func (l *Live) newLease() (*shardgroup.ConsumerLease, error) {
	list, err := shardreader.New(shardreader.Options{Client: l.o.Client, FanOut: l.o.FanOut, Stream: event.Stream})
	if err != nil {
		return nil, err
	}

	// The lease opens the database itself, and tries until it can: a Live starts
	// and polls while the database is away.
	open := func(ctx context.Context) (*pgxpool.Pool, error) {
		return postgres.Open(ctx, l.o.DatabaseURL, postgres.PoolOptions{App: l.o.Name, MaxConns: 1, LeaseTime: l.o.Lease})
	}

	return shardgroup.NewConsumerLease(shardgroup.ConsumerLeaseOptions{
		Open: open, List: list.Consumers, Prefix: l.o.Name + "-", Worker: shardgroup.WorkerID(),
		Lease: l.o.Lease, Log: l.o.Log,
	})
}

// mode says how the shards are read, for people.
func (l *Live) mode(shards []shardreader.ShardState) string {
	if l.lease == nil {
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

	name, why := l.lease.Held()
	switch {
	case name == "":
		// What failed on the way is in the log: its text is for no page.
		if told := shardgroup.NoConsumer(""); !errors.As(why, &told) {
			return "polling: no consumer can be leased at present"
		}
		return fmt.Sprintf("polling: %v", why)
	case pushed < open || open == 0:
		return fmt.Sprintf("fan-out as %s for %d of %d shards", name, pushed, open)
	}
	return "fan-out as " + name
}
