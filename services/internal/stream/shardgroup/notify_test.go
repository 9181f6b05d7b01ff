package shardgroup_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestChildrenAreReadAtOnce(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 4, "0")
	start(t, s, &applier{pool: pool, worker: "a"}, long) // so that no look of its own helps
	eventually(t, pool, want)
	b, _ := start(t, s, &applier{pool: pool, worker: "b"}, long)
	require.Eventually(t, func() bool { return b.Ready(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)

	s.Reshard([]string{"0"}, []string{"1", "2"})
	put(s, 4, 4, "1", "2")
	require.Eventually(t, func() bool { return len(applied(t, pool)) == 8 }, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, 1, count(t, pool, `SELECT count(DISTINCT shard) FROM applied WHERE worker = 'b'`), "one child went to the other worker")
}

// One that has just come need not wait until the others look by themselves, and is
// handed what they release as soon as they have.
func TestAWorkerThatJoinsGetsItsShardsAtOnce(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	want := put(s, 0, 2, "0", "1")
	start(t, s, &applier{pool: pool, worker: "a"}, long) // it looks by itself after two minutes and a half
	eventually(t, pool, want)

	_, stop := start(t, s, &applier{pool: pool, worker: "b"}, long)
	require.Eventually(t, func() bool { return count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE owner = 'b'`) == 1 }, 20*time.Second, 10*time.Millisecond)
	put(s, 2, 2, "0", "1")
	eventually(t, pool, []string{"0000", "0001", "0002", "0003"})
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM applied WHERE worker = 'b'`))

	stop()
	require.Eventually(t, func() bool { return count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE owner = 'a'`) == 2 }, 20*time.Second, 10*time.Millisecond)
}
