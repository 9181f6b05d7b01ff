package shardgroup_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for wrong, change := range map[string]func(*shardgroup.Options){
		"Client":       func(o *shardgroup.Options) { o.Client = nil },
		"Name":         func(o *shardgroup.Options) { o.Name = "" },
		"Processor":    func(o *shardgroup.Options) { o.Processor = nil },
		"Lease":        func(o *shardgroup.Options) { o.Lease = -1 },
		"MaxTries":     func(o *shardgroup.Options) { o.MaxTries = -1 },
		"Backoff":      func(o *shardgroup.Options) { o.Backoff = -1 },
		"PollEvery":    func(o *shardgroup.Options) { o.PollEvery = -1 },
		"CatchUpBytes": func(o *shardgroup.Options) { o.CatchUpBytes = -1 },
	} {
		o := shardgroup.Options{
			Client: fakestream.New("a"), Stream: "s", Pool: new(pgxpool.Pool), Name: "test", Worker: "a",
			Processor: func(string) shardgroup.Processor { return nil },
		}
		_, err := shardgroup.New(o)
		require.NoError(t, err)
		change(&o)
		_, err = shardgroup.New(o)
		require.ErrorContains(t, err, wrong)
	}
}

func TestAConsumerLeasesOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for wrong, change := range map[string]func(*shardgroup.ConsumerLeaseOptions){
		"Open":   func(o *shardgroup.ConsumerLeaseOptions) { o.Open = nil },
		"List":   func(o *shardgroup.ConsumerLeaseOptions) { o.List = nil },
		"Prefix": func(o *shardgroup.ConsumerLeaseOptions) { o.Prefix = "" },
		"Worker": func(o *shardgroup.ConsumerLeaseOptions) { o.Worker = "" },
		"Lease":  func(o *shardgroup.ConsumerLeaseOptions) { o.Lease = -1 },
	} {
		o := shardgroup.ConsumerLeaseOptions{
			Open: func(context.Context) (*pgxpool.Pool, error) { return nil, context.Canceled }, List: (&consumers{}).list, Prefix: "map-", Worker: "a",
		}
		change(&o)
		_, err := shardgroup.NewConsumerLease(o)
		require.ErrorContains(t, err, wrong)
	}
}
