package compare

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/emulator"
)

func TestLeftSharesWhatRightHasThreeTimes(t *testing.T) {
	t.Parallel()
	g := newStage(t)
	v := g.run(60, 400)

	sent, shards := g.onStream(v.Session)
	require.Len(t, sent, v.Sent, "N is what lies on the stream")
	require.Equal(t, maxDrivers, v.Cars)
	require.Equal(t, []int{v.Sent, v.Sent, v.Sent, 0}, counts(v.Stream.Teams))
	require.Equal(t, v.Sent, sum(counts(v.Queue.Teams)), "nothing was delivered twice")
	require.Zero(t, v.Queue.Overlap)
	require.Len(t, shards, 2)
	for _, team := range v.Stream.Teams[:newcomer] {
		require.Equal(t, v.Sent, v.Stream.Through)
		require.Equal(t, v.Stream.Teams[0].Checksum, team.Checksum)
		require.NotEmpty(t, team.Checksum)
		for _, s := range team.Shards {
			require.Equal(t, shards[s.Shard], s.Records, s.Shard)
			require.NotNil(t, s.BehindMS)
		}
	}
	for _, team := range v.Queue.Teams[:newcomer] {
		require.NotZero(t, team.Count, team.Name)
		require.Less(t, team.Count, v.Sent, team.Name)
	}

	// The cursor: what a page has it does not get again.
	next := g.lookAs("ann", v.Cursor)
	require.Equal(t, v.Sent, next.Points.After)
	require.Empty(t, next.Points.Rows)
	for i, team := range next.Stream.Teams {
		require.Empty(t, team.Got)
		require.Equal(t, v.Stream.Teams[i].Count, team.After)
	}
	require.Len(t, v.Points.Rows, v.Sent)

	empty := g.until("SQS says that the queue is empty", func(v View) bool { return v.Queue.Waiting != nil && *v.Queue.Waiting+*v.Queue.InFlight == 0 })
	require.NotZero(t, empty.Queue.CountedAt)
}

func TestDuplicatesAreNamed(t *testing.T) {
	t.Parallel()
	g := newStage(t, func(c *emulator.Config) { c.Duplicate = 0.2 })
	g.run(50, 400)

	// What arrives once more is a repeat where it was, or overlap where it was not.
	v := g.until("as many as the emulator says", func(v View) bool {
		repeats := v.Queue.Overlap
		for _, team := range v.Queue.Teams {
			repeats += team.Repeats
		}
		return repeats > 0 && repeats == g.duplicates(QueuePoints)
	})
	require.Equal(t, v.Sent+v.Queue.Overlap, sum(counts(v.Queue.Teams)))
	for _, team := range v.Queue.Teams {
		slices.Sort(team.Got)
		require.Len(t, slices.Compact(team.Got), team.Count, "no point counts twice")
	}
}

func TestANewTeamHasThePastOnTheStreamAlone(t *testing.T) {
	t.Parallel()
	g := newStage(t)
	before := g.run(50, 300)
	g.act(ActLate)
	joined := g.rest()
	require.Equal(t, before.Sent, joined.Stream.Teams[newcomer].Count)
	require.Zero(t, joined.Queue.Teams[newcomer].Count, "the past was deleted")

	v := g.more(50, 300)
	require.Equal(t, []int{v.Sent, v.Sent, v.Sent, v.Sent}, counts(v.Stream.Teams))
	require.Equal(t, v.Stream.Teams[0].Checksum, v.Stream.Teams[newcomer].Checksum)
	late := v.Queue.Teams[newcomer]
	require.Equal(t, before.Sent, *late.JoinedAt)
	require.NotZero(t, late.Count)
	for _, n := range late.Got {
		require.Greater(t, n, before.Sent)
	}
	require.Equal(t, v.Sent, sum(counts(v.Queue.Teams)), "it took them from the others")

	status, _ := g.ask(http.MethodPost, "/v1/compare/acts", map[string]string{"viewer": "ann", "act": ActLate})
	require.Equal(t, http.StatusConflict, status)
}

func TestALostTableRegrowsOnTheStreamAlone(t *testing.T) {
	t.Parallel()
	g := newStage(t)
	before := g.run(50, 300)
	was := before.Stream.Teams[heatmap]
	g.act(ActLose)

	v := g.until("the table regrows", func(v View) bool { return v.Stream.Teams[heatmap].Count == v.Sent })
	right, left := v.Stream.Teams[heatmap], v.Queue.Teams[heatmap]
	require.Equal(t, was.Checksum, right.Checksum, "the same bytes as before")
	require.Equal(t, was.Generation+1, right.Generation)
	require.Equal(t, before.Sent, right.Lost.Before)
	require.Equal(t, before.Sent, right.Lost.Again)
	require.Equal(t, right.Lost.ChecksumBefore, right.Lost.ChecksumAgain)

	require.Equal(t, before.Queue.Teams[heatmap].Count, left.Lost.Before)
	require.Zero(t, left.Lost.Again, "done means deleted")
	require.NotEqual(t, left.Lost.ChecksumBefore, left.Lost.ChecksumAgain)
	g.until("nothing is left to receive", func(v View) bool {
		return v.Queue.CountedAt > v.At-2000 && *v.Queue.Waiting == 0 && *v.Queue.InFlight == 0
	})

	// A page that had the table before gets the new one from its beginning.
	next := g.lookAs("ann", before.Cursor)
	require.Zero(t, next.Stream.Teams[heatmap].After)
	require.Len(t, next.Stream.Teams[heatmap].Got, v.Sent)
}
