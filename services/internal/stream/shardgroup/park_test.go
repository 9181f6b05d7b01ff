package shardgroup_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestUndecodableIsParkedAtOnceAndPoisonByPolicy(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 5, "0")
	var mu sync.Mutex
	tries := 0
	a := &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		var errs []error
		for _, r := range b.Records {
			switch string(r.Data) {
			case "0001":
				errs = append(errs, shardgroup.Undecodable(r.Position, errors.New("no point")))
			case "0003":
				tries++
				errs = append(errs, &shardgroup.RecordError{Position: r.Position, Err: errors.New("poison")})
			}
		}
		return errors.Join(errs...)
	}}

	stopping, stop := start(t, s, a, func(o *shardgroup.Options) { o.MaxTries = 3 }) // which counts under Park alone
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return tries > 6 }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, []string{want[0], want[2]}, applied(t, pool), "nothing behind it is applied")
	require.ErrorContains(t, stopping.Status().Shards[0].Err, "poison")
	stop()

	a.worker = "b"
	g, _ := start(t, s, a, func(o *shardgroup.Options) { o.Poison, o.MaxTries = shardgroup.Park, 3 })
	eventually(t, pool, []string{want[0], want[2], want[4]})
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.dead_records WHERE reason LIKE '%no point%' OR reason LIKE '%poison%'`))
	require.EqualValues(t, 3, stopping.Status().Records)
	require.EqualValues(t, 2, g.Status().Records)
}

// remembering skips what is not above its mark, and raises the mark before
// anything is committed, as a Processor may: it is true while nothing fails.
type remembering struct {
	*applier
	mark string
}

func (r *remembering) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	good := b
	good.Records = nil
	var bad error
	for _, rec := range b.Records {
		if string(rec.Data) <= r.mark {
			continue // a repeat
		}
		r.mark = string(rec.Data)
		if r.mark == "0002" {
			bad = &shardgroup.RecordError{Position: rec.Position, Err: errors.New("poison")}
		}
		good.Records = append(good.Records, rec)
	}
	if bad != nil {
		return bad
	}
	return r.applier.Process(ctx, good, commit)
}

func TestAProcessorIsNotUsedAgainAfterARecordError(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 5, "0")
	a := &applier{pool: pool, worker: "a"}
	g, _ := start(t, s, a, func(o *shardgroup.Options) {
		o.Poison, o.MaxTries = shardgroup.Park, 1
		o.Processor = func(string) shardgroup.Processor { return &remembering{applier: a} }
	})

	require.Eventually(t, func() bool { return g.Status().Records == 5 }, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, []string{want[0], want[1], want[3], want[4]}, applied(t, pool))
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.dead_records`))
}
