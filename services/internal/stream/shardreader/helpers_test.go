package shardreader_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kpl"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// collect gathers what a reader hands over.
type collect struct {
	mu      sync.Mutex
	data    []string
	batches []shardreader.Batch
}

func (c *collect) handle(_ context.Context, b shardreader.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range b.Records {
		c.data = append(c.data, string(r.Data))
	}
	c.batches = append(c.batches, b)
	return nil
}

func (c *collect) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.data...)
}

func (c *collect) last() shardreader.Batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.batches[len(c.batches)-1]
}

// way is a way of reading a stream: it returns the options that read so.
type way func(s *fakestream.Stream) shardreader.Options

func polling(s *fakestream.Stream) shardreader.Options {
	return shardreader.Options{Client: s, Stream: "s", Log: slog.New(slog.DiscardHandler)}
}

func newReader(t *testing.T, o shardreader.Options) *shardreader.Reader {
	t.Helper()
	r, err := shardreader.New(o)
	require.NoError(t, err)
	return r
}

func fanOut(s *fakestream.Stream) shardreader.Options {
	o := polling(s)
	o.FanOut, o.Consumer = s, always(s.Register("c"))
	return o
}

// always is the Consumer option of a reader that has a consumer for itself.
func always(arn string) func() (context.Context, string) {
	return func() (context.Context, string) { return context.Background(), arn }
}

// both runs a test by both ways of reading, on a clock of its own.
func both(t *testing.T, test func(t *testing.T, read way)) {
	t.Helper()
	for name, read := range map[string]way{"polling": polling, "fan-out": fanOut} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, read) })
		})
	}
}

// during runs read until body returns, and returns what read returned once its
// context had ended.
func during(t *testing.T, read func(ctx context.Context) error, body func()) error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- read(ctx) }()
	body()
	cancel()
	return <-ended
}

func aggregate(t *testing.T, from, n int) []byte {
	t.Helper()
	a := kpl.NewAggregate("1", 1<<20)
	for i := range n {
		require.True(t, a.Add("k", fmt.Appendf(nil, "%d", from+i)))
	}
	b, err := a.Encode()
	require.NoError(t, err)
	return b
}
