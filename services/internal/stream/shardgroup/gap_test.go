package shardgroup_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestRecreatedStreamLeavesAGapForEachShard(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	want := put(s, 0, 4, "0", "1")
	start(t, s, &applier{pool: pool, worker: "a"}, nil)
	eventually(t, pool, want)

	s.Recreate("0", "1")
	want = append(want, put(s, 4, 4, "0", "1")...)
	eventually(t, pool, want)
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE reason = 'stream_recreated' AND from_at <= to_at`))
}

func TestCheckpointOlderThanTheStreamKeepsLeavesAGap(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	put(s, 0, 3, "0")
	fail := errors.New("not the third")
	_, stop := start(t, s, &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		if string(b.Records[0].Data) == "0002" {
			return fail
		}
		return nil
	}}, nil)
	eventually(t, pool, []string{"0000", "0001", "0002"})
	stop()

	put(s, 3, 2, "0")
	s.Trim("0", 4)
	// As if it had never been at the tip: applied record and tip are one.
	_, err := pool.Exec(context.Background(), `UPDATE shardgroup.checkpoints SET tip_at = NULL`)
	require.NoError(t, err)

	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	eventually(t, pool, []string{"0000", "0001", "0002", "0004"})
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE reason = 'trimmed'`))
}
