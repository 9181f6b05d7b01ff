package compare

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThePoisonIsSetAsideOrStopsTheShard(t *testing.T) {
	t.Parallel()
	g := newStage(t)
	g.until("a session starts", func(v View) bool { return v.State == stateRunning })
	g.act(ActJobs)

	v := g.until("the queue is through", func(v View) bool { return v.Jobs != nil && v.Jobs.Queue.TookMS > 0 })
	require.Len(t, v.Jobs.Queue.Done, jobCount-1)
	require.Equal(t, poison, v.Jobs.Queue.Failed.Tile)
	require.Equal(t, jobTries, v.Jobs.Queue.Failed.Tries)
	require.Contains(t, v.Jobs.Queue.Failed.Reason, errNoCell.Error())
	byWorker := map[int]int{}
	for _, d := range v.Jobs.Queue.Done {
		require.NotEqual(t, poison, d.Tile)
		byWorker[d.Worker]++
	}
	require.Len(t, byWorker, workers, "all of them worked")
	waiting, _, err := g.s.cloud.counts(t.Context(), QueueJobsDead)
	require.NoError(t, err)
	require.Equal(t, 1, waiting, "the poison lies with the dead letters")

	v = g.until("the shard stands", func(v View) bool { return v.Jobs.Stream.Failed != nil && v.Jobs.Stream.Failed.Tries >= 3 })
	require.Len(t, v.Jobs.Stream.Done, poison-1)
	for i, d := range v.Jobs.Stream.Done {
		require.Equal(t, i+1, d.Tile, "in order")
	}
	age := *v.Jobs.Stream.Failed.BehindMS
	require.Greater(t, age, int64(1500))
	v = g.until("its iterator age climbs", func(v View) bool { return *v.Jobs.Stream.Failed.BehindMS > age+1000 })
	require.Len(t, v.Jobs.Stream.Done, poison-1)

	g.act(ActSkip)
	v = g.until("what stood behind is done", func(v View) bool { return v.Jobs.Stream.TookMS > 0 })
	require.Len(t, v.Jobs.Stream.Done, jobCount-1)
	require.True(t, v.Jobs.Stream.Passed)
	require.Nil(t, v.Jobs.Stream.Failed.BehindMS)
}

func TestATopicMakesTheLeftWholeFromThenOn(t *testing.T) {
	t.Parallel()
	g := newStage(t)
	before := g.run(50, 200)
	g.act(ActSNS)
	v := g.more(50, 200)
	require.Equal(t, "topic", v.Queue.Via)
	require.Equal(t, before.Sent, v.Queue.After)
	whole := v.Sent - before.Sent
	require.Equal(t, []int{whole, whole, whole, 0}, counts(v.Queue.Teams))
	require.Nil(t, v.Queue.Teams[newcomer].JoinedAt)
	require.Equal(t, []int{v.Sent, v.Sent, v.Sent, 0}, counts(v.Stream.Teams))

	g.act(ActSNSLate)
	after := g.more(50, 200)
	late := after.Queue.Teams[newcomer]
	require.Equal(t, v.Sent, *late.JoinedAt)
	require.Equal(t, after.Sent-v.Sent, late.Count, "all from then on, and nothing from before")
	require.Greater(t, slices.Min(late.Got), v.Sent)
	require.Equal(t, after.Sent-before.Sent, after.Queue.Teams[0].Count)

	// The next session begins without the newcomer's subscription.
	g.act(ActRestart)
	g.until("another session", func(n View) bool { return n.State == stateRunning && n.Session != v.Session && len(n.Acts) == 0 })
	require.Len(t, g.subscriptions(), newcomer, "those of the template")
}
