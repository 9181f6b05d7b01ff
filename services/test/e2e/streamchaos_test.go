package e2e

import (
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/internal/auth"
)

// TestReshardUnderLoad splits and merges twice while 5,000 points a second come, and
// wants that every reader soon reads the children, that nobody is behind for long, and
// that nothing is lost, twice there, or out of order.
func TestReshardUnderLoad(t *testing.T) {
	const drivers, perSecond = 500, 10
	c := newChaos(t)
	l := c.startTraffic(drivers, perSecond)
	watched := c.watchLags()
	c.pause(20 * time.Second)
	c.say("before", watched)

	for _, step := range []struct {
		what     []string
		children []string
	}{
		{[]string{"split", "shardId-000000000000"}, []string{"shardId-000000000004", "shardId-000000000005"}},
		{[]string{"merge", "shardId-000000000004", "shardId-000000000005"}, []string{"shardId-000000000006"}},
		{[]string{"split", "shardId-000000000001"}, []string{"shardId-000000000007", "shardId-000000000008"}},
		{[]string{"merge", "shardId-000000000007", "shardId-000000000008"}, []string{"shardId-000000000009"}},
	} {
		began := time.Now()
		out, err := exec.Command(binary(t), append(append([]string{"reshard"}, step.what...), "--data", c.dir)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		c.childrenAreRead(began, step.children)

		c.pause(5*time.Second - time.Since(began))
		c.say(step.what[0], watched)
		c.pause(15 * time.Second)
		c.nobodyIsBehind(c.say("after it", watched))
	}

	require.Greater(t, l.rate(), 0.8*drivers*perSecond, "this machine is too slow for that load")
	l.end()
	c.endsWell()
}

// nobodyIsBehind wants each reader to be as far as a poll a second lets it be, and what a
// batch takes.
func (c *chaos) nobodyIsBehind(seen map[string][]float64) {
	c.Helper()
	for _, reader := range streamReaders {
		require.Less(c, p95(seen[reader]), 1.5, reader)
	}
}

// childrenAreRead waits until every reader has read a record of each child.
func (c *chaos) childrenAreRead(began time.Time, children []string) {
	c.Helper()
	admin := c.api.As(auth.Admin, "chaos")
	first := map[string]<-chan time.Duration{}
	for _, reader := range streamReaders {
		first[reader] = c.after(began, func() bool {
			return !slices.ContainsFunc(children, func(child string) bool { return !c.read(admin, child)[reader] })
		})
	}
	for reader, read := range first {
		after := <-read
		c.log("%s has read of %v %.1f s after it was asked for", reader, children, after.Seconds())
		require.Less(c, after, 15*time.Second)
	}
}

// read reports for each reader whether it has read of a shard, by the console.
func (c *chaos) read(admin *client.Session, shard string) map[string]bool {
	out := map[string]bool{}
	o, err := admin.Overview(c.Context())
	if err != nil {
		return out
	}
	for _, r := range o.Readers {
		out[r.Reader] = false
		for _, s := range r.Shards {
			out[r.Reader] = out[r.Reader] || s.Shard == shard && s.Sequence != ""
		}
	}
	return out
}

// TestAReaderIsStoppedForFiveMinutes stops history while 2,000 points a second come,
// and wants that nobody else is behind for it, and that it catches up.
func TestAReaderIsStoppedForFiveMinutes(t *testing.T) {
	const drivers, perSecond, stoppedFor = 200, 10, 5 * time.Minute
	c := newChaos(t)
	l := c.startTraffic(drivers, perSecond)
	watched := c.watchLags()
	c.pause(time.Minute)
	before := c.say("before", watched)

	goOn := c.freeze("history")
	c.pause(stoppedFor)
	during := c.say("while history is stopped", watched)
	for _, reader := range streamReaders[1:] {
		require.Less(t, p95(during[reader]), p95(before[reader])+0.5, "%s is no slower for it", reader)
	}

	const stored = `SELECT count(*) FROM history.points`
	back, had := time.Now(), c.count(stored)
	goOn()
	<-c.after(back, func() bool { lag, known := c.checkpointLags()["history"]; return known && lag < 2 })
	took, has := time.Since(back).Seconds(), c.count(stored)
	rate := float64(has-had) / took
	c.log("history was %d points behind and is at the tip %.0f s after it went on: %.0f points a second, %.1f times what came meanwhile",
		int(stoppedFor.Seconds()*l.rate()), took, rate, rate/l.rate())
	require.Greater(t, rate, 1.5*l.rate())
	c.say("until it had caught up", watched)

	l.end()
	c.endsWell()
}
