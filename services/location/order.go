package location

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxDrivers bounds the drivers whose last batch is remembered: those heard of
// last.
const maxDrivers = 50_000

// memory has what this process knows of each driver's last batch. It is safe for
// concurrent use.
type memory struct {
	mu      sync.Mutex
	drivers *simplelru.LRU[string, *driverMemory]
}

// driverMemory is one driver's. first and stamp belong to whoever has the turn.
type driverMemory struct {
	turn  chan struct{} // has a token while a batch of the driver is under way
	first int64         // the lowest sequence of the last batch; 0: none is known
	stamp int64         // of the last batch
}

func newMemory() *memory {
	drivers, _ := simplelru.NewLRU[string, *driverMemory](maxDrivers, nil) // fails only for a size below 1
	return &memory{drivers: drivers}
}

// take waits until no other batch of the driver is under way. Until done is
// called no other is taken: so the stamps tell the order in which batches went to
// the stream.
func (m *memory) take(ctx context.Context, driver string) (d *driverMemory, done func(), err error) {
	m.mu.Lock()
	d, ok := m.drivers.Get(driver)
	if !ok {
		d = &driverMemory{turn: make(chan struct{}, 1)}
		m.drivers.Add(driver, d)
	}
	m.mu.Unlock()

	select {
	case d.turn <- struct{}{}:
		return d, func() { <-d.turn }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// note remembers a batch that begins with the sequence first, and returns its
// stamp: the time, and above the stamp before it.
func (d *driverMemory) note(first int64, now time.Time) int64 {
	// Before the batch is put, not after: one that failed may be stored all the same.
	d.first, d.stamp = first, max(now.UnixMilli(), d.stamp+1)
	return d.stamp
}
