package shardgroup_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// counts is a Metrics that adds up.
type counts struct {
	mu                          sync.Mutex
	held, lost, records, failed int
	took                        time.Duration
}

func (c *counts) Held(change int) { c.add(func() { c.held += change }) }
func (c *counts) Lost(string)     { c.add(func() { c.lost++ }) }
func (c *counts) Failed(string)   { c.add(func() { c.failed++ }) }
func (c *counts) Applied(_ string, records int, took time.Duration) {
	c.add(func() { c.records, c.took = c.records+records, c.took+took })
}

func (c *counts) add(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *counts) now() (held, lost, records, failed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held, c.lost, c.records, c.failed
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	want := put(s, 0, 10, "0", "1")
	var m counts
	var once sync.Once
	g, stop := start(t, s, &applier{pool: pool, worker: "a", before: func(context.Context, shardreader.Batch) (err error) {
		time.Sleep(time.Millisecond)
		once.Do(func() { err = errors.New("failed before the commit") })
		return err
	}}, func(o *shardgroup.Options) { o.Metrics, o.Lease = &m, 10*time.Second })
	eventually(t, pool, want)
	require.Eventually(t, func() bool { return g.Status().Records == 10 }, 10*time.Second, 5*time.Millisecond)
	held, lost, records, failed := m.now()
	require.Equal(t, []int{2, 0, 10, 1}, []int{held, lost, records, failed})
	require.GreaterOrEqual(t, m.took, 2*time.Millisecond)

	// A person takes both leases, and leaves one to be acquired again.
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		all, err := shardgroup.States(t.Context(), tx, "test")
		if err == nil {
			err = errors.Join(shardgroup.Pause(t.Context(), tx, all[0]), shardgroup.Resume(t.Context(), tx, all[1]))
		}
		return err
	}))
	require.Eventually(t, func() bool {
		held, lost, _, _ := m.now()
		return held == 1 && lost == 2
	}, 10*time.Second, 5*time.Millisecond)

	stop()
	held, lost, _, failed = m.now()
	require.Equal(t, []int{0, 2, 1}, []int{held, lost, failed}, "who is stopped loses nothing")
}
