package points

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
)

func TestGroupMetrics(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	m := newGroupMetrics()
	m.Held(1)
	m.Held(1)
	m.Held(-1)
	m.Lost("a")
	m.Failed("a")
	m.Failed("b")
	m.Applied("a", 200, 500*time.Millisecond)
	m.register(r, func() shardgroup.Status {
		return shardgroup.Status{Shards: []shardgroup.ShardStatus{{Shard: "a", Behind: 90 * time.Second, Known: true}, {Shard: "another's"}}}
	})

	all, err := r.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, f := range all {
		for _, x := range f.GetMetric() {
			name := f.GetName()
			for _, l := range x.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = x.GetGauge().GetValue() + x.GetCounter().GetValue() + x.GetHistogram().GetSampleSum()
		}
	}
	require.Equal(t, map[string]float64{
		"shardgroup_shards_held": 1, "shardgroup_leases_lost_total": 1, "shardgroup_failures_total": 2,
		"shardgroup_batch_records": 200, "shardgroup_batch_seconds": 0.5, "shardgroup_behind_seconds a": 90,
	}, got, "of another's shard nothing is known, which is not 0")
}
