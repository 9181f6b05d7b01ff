package compose

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/test/browser"
)

// ridersFor is how long riders come: through all of the attacks.
const ridersFor = 6 * time.Minute

// TestConfigIsWithoutWarning needs no engine's help beyond compose itself.
func TestConfigIsWithoutWarning(t *testing.T) {
	wanted(t)
	p := newProject(t)
	_, problems, err := p.command("--profile", "tools", "config", "--quiet")
	require.NoError(t, err)
	require.Empty(t, problems)

	p.env = append(p.env, "TANDEM_SIGNING_KEY=")
	_, problems, err = p.command("config", "--quiet")
	require.Error(t, err, "there are no keys by default")
	require.Contains(t, problems, "make up")
}

// TestFailingScriptShows: LocalStack goes on when a script of ready.d fails; its
// container is unhealthy then, and the script's own words are in its log.
func TestFailingScriptShows(t *testing.T) {
	wanted(t)
	p := newProject(t, "TANDEM_STREAM_RETENTION_HOURS=9999", "LOCALSTACK_START_WITHIN=30s") // a year is 8760 h
	_, problems, err := p.command("up", "--wait", "localstack")
	require.Error(t, err)
	require.Contains(t, problems, "unhealthy")
	require.Contains(t, p.run("logs", "localstack"), "10-messaging.sh")
	require.Contains(t, inspect(t, p, "localstack", "{{json .State.Health.Log}}"), "a script of ready.d failed")
}

// TestTandemInContainers is one story, since coming up takes a minute.
func TestTandemInContainers(t *testing.T) {
	wanted(t)
	// Fast cars, so that the longest trip ends within two minutes.
	p := newProject(t, "TANDEM_DRIVERS=100", "TANDEM_RIDERS=60", "TANDEM_SPEED=20", "TANDEM_FOR="+ridersFor.String())
	p.up("--build")
	time.Sleep(2 * time.Minute) // the load itself is what is tried
	p.clean()
	p.measure()

	p.restartLocalStack()
	p.killed()
	p.up("--scale", "dispatch=4")
	require.Len(t, strings.Fields(p.run("ps", "--quiet", "--status", "running", "dispatch")), 4)

	p.ridesEnd()
	p.clean("--allow-gaps")
	browser.Run(t, p.gateway, p.writeRunFile()) // the drivers drive on
	p.measure()
	p.nothingDied()
}

// nothingDied says that docker had nothing to start again, but for what was
// killed: there it may have been as fast as we.
func (p *project) nothingDied() {
	p.t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(p.run("ps", "--format", "{{.Service}} {{.ID}}")), "\n") {
		service, id, _ := strings.Cut(line, " ")
		if service != "dispatch" && service != "history" {
			require.Equal(p.t, "0", docker(p.t, "inspect", "--format", "{{.RestartCount}}", id), service)
		}
	}
}

// restartLocalStack makes it forget everything under load. What the stream had
// acknowledged and no reader had read is lost and declared: the seconds before.
func (p *project) restartLocalStack() {
	p.t.Helper()
	at := time.Now()
	p.run("restart", "localstack")
	p.up("--no-recreate")
	p.t.Logf("LocalStack restarted: all healthy again after %.0f s", time.Since(at).Seconds())
	r := p.clean("--allow-gaps")
	var first time.Time
	require.NoError(p.t, p.ask([]any{&first}, `SELECT min(from_at) FROM shardgroup.gaps`), "each reader declares a gap for each shard")
	require.WithinDuration(p.t, at, first, 15*time.Second)
	lost, rate := r.Count("points", "in_gap"), 100.0
	p.t.Logf("%d of %d points acknowledged are in the gap, which began %.1f s before the restart", lost, r.Count("points", "accepted"), at.Sub(first).Seconds())
	require.Less(p.t, float64(lost), rate*15)
}

// killed kills the workers and a reader with -9: what docker does not start
// again, a person does.
func (p *project) killed() {
	p.t.Helper()
	p.run("kill", "--signal", "KILL", "dispatch", "history")
	p.up("--no-recreate")
	p.clean("--allow-gaps")
}

// ridesEnd waits until every ride is terminal and none comes any more.
func (p *project) ridesEnd() {
	p.t.Helper()
	var open, all int
	var quiet bool
	require.Eventually(p.t, func() bool {
		err := p.ask([]any{&open, &all, &quiet}, `SELECT count(*) FILTER (WHERE state NOT IN ('completed', 'cancelled', 'unfulfilled')),
			count(*), max(requested_at) < now() - interval '20 s' FROM ride.rides`)
		return err == nil && open == 0 && quiet
	}, ridersFor+5*time.Minute, time.Second, "rides do not end")
	p.t.Logf("all %d rides are terminal", all)
	require.Greater(p.t, all, 60)
}

// measure prints the image's size and each container's memory.
func (p *project) measure() {
	p.t.Helper()
	p.t.Logf("image: %s bytes", docker(p.t, "image", "inspect", "--format", "{{.Size}}", "tandem-test"))
	args := append([]string{"stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}\t{{.CPUPerc}}"}, strings.Fields(p.run("ps", "--quiet"))...)
	p.t.Logf("memory:\n%s", docker(p.t, args...))
}

func inspect(t *testing.T, p *project, service, format string) string {
	t.Helper()
	return docker(t, "inspect", "--format", format, strings.TrimSpace(p.run("ps", "--all", "--quiet", service)))
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	require.NoError(t, err, "docker %s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}
