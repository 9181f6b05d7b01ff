package shardgroup_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
)

// The group stands where its slowest shard does, and a drained one stands for its
// children until they are listed.
func TestAGroupIsAppliedToWhereItsSlowestShardStands(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := pool.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	now := time.Now().Truncate(time.Second)
	ago := func(seconds int) time.Time { return now.Add(-time.Duration(seconds) * time.Second) }
	shard := func(life int, id string, parents []string, since, arrived, tip *time.Time) {
		t.Helper()
		exec(`INSERT INTO shardgroup.leases (stream_id, shard, parents, since) VALUES ($1, $2, $3, $4)`, life, id, parents, since)
		exec(`INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub, arrived_at, tip_at) VALUES ($1, $2, '', 0, $3, $4)`, life, id, arrived, tip)
	}
	stands := func(want time.Time) {
		t.Helper()
		to, err := shardgroup.AppliedTo(t.Context(), pool, "test")
		require.NoError(t, err)
		require.True(t, want.Equal(to), "%s, not %s", to, want)
	}
	stands(time.Time{})

	exec(`INSERT INTO shardgroup.streams (group_name, generation, arn, created_at) VALUES ('other', 1, 'arn', $1), ('test', 1, 'arn', $1), ('test', 1, 'arn', $2)`, ago(900), ago(800))
	shard(1, "0", nil, new(ago(900)), nil, nil)
	shard(2, "0", nil, new(ago(900)), nil, nil)
	stands(time.Time{}) // nothing is listed of the newest stream

	shard(3, "0", []string{}, new(ago(700)), new(ago(30)), new(ago(20)))
	shard(3, "1", []string{}, new(ago(700)), new(ago(5)), nil)
	stands(ago(20))

	exec(`UPDATE shardgroup.leases SET completed_at = now() WHERE stream_id = 3 AND shard = '0'`)
	stands(ago(20))
	shard(3, "2", []string{"0"}, new(ago(30)), new(ago(10)), nil)
	stands(ago(10))

	// Children that left the stream before they were listed never come.
	exec(`UPDATE shardgroup.leases SET completed_at = now() - interval '25 h' WHERE stream_id = 3 AND shard = '0'`)
	exec(`UPDATE shardgroup.leases SET parents = '{expired}' WHERE stream_id = 3 AND shard = '2'`)
	stands(ago(10))
}
