package compose

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/test/browser"
)

// ridersFor is how long riders request rides: it covers all of the attacks.
const ridersFor = 5 * time.Minute

// TestConfigIsWithoutWarning only has compose read its files; it starts nothing.
func TestConfigIsWithoutWarning(t *testing.T) {
	wanted(t)
	p := newProject(t)
	_, problems, err := p.command("--profile", "tools", "--profile", "observe", "config", "--quiet")
	require.NoError(t, err)
	require.Empty(t, problems)

	p.env = append(p.env, "TANDEM_SIGNING_KEY=")
	_, problems, err = p.command("config", "--quiet")
	require.Error(t, err, "there are no keys by default")
	require.Contains(t, problems, "make up")
}

// TestFailingScriptShows checks that a failing script of ready.d is seen:
// LocalStack itself runs on, but its container is unhealthy, and its log contains
// what the script printed.
func TestFailingScriptShows(t *testing.T) {
	wanted(t)
	p := newProject(t, "TANDEM_STREAM_RETENTION_HOURS=9999", "LOCALSTACK_START_WITHIN=30s") // a year is 8760 h
	_, problems, err := p.command("up", "--wait", "localstack")
	require.Error(t, err)
	require.Contains(t, problems, "unhealthy")
	require.Contains(t, p.run("logs", "localstack"), "10-messaging.sh")
	require.Contains(t, inspect(t, p, "localstack", "{{json .State.Health.Log}}"), "a script of ready.d failed")
}

// TestTandemInContainers is one long test, because the containers take a minute to
// start.
func TestTandemInContainers(t *testing.T) {
	wanted(t)
	// Fast cars, so that the longest trip ends within two minutes.
	p := newProject(t, "TANDEM_DRIVERS=100", "TANDEM_RIDERS=60", "TANDEM_SPEED=20", "TANDEM_FOR="+ridersFor.String())
	p.up("--build")
	time.Sleep(time.Minute) // the load itself is the test here
	p.clean()
	p.measure()

	p.restartLocalStack()
	p.killed()
	p.up("--scale", "dispatch=4")
	require.Len(t, strings.Fields(p.run("ps", "--quiet", "--status", "running", "dispatch")), 4)

	p.ridesEnd()
	p.clean("--allow-gaps")
	browser.RunRide(t, p.gateway, p.writeRunFile()) // riders have stopped, drivers have not
	p.measure()
	p.nothingDied()
}

// nothingDied checks that docker restarted nothing but what the test killed, where
// docker may have been faster than the test.
func (p *project) nothingDied() {
	p.t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(p.run("ps", "--format", "{{.Service}} {{.ID}}")), "\n") {
		service, id, _ := strings.Cut(line, " ")
		if service != "dispatch" && service != "history" {
			require.Equal(p.t, "0", docker(p.t, "inspect", "--format", "{{.RestartCount}}", id), service)
		}
	}
}

// restartLocalStack restarts LocalStack under load, which then has forgotten
// everything. Points that the stream had acknowledged and no reader had read are
// lost, and the readers declare the gap: some seconds before the restart.
func (p *project) restartLocalStack() {
	p.t.Helper()
	at := time.Now()
	p.run("restart", "localstack")
	// Who asked in vain for half a minute is unhealthy for a moment, and compose waits for
	// nobody then.
	require.Eventually(p.t, func() bool {
		_, _, err := p.command("up", "--wait", "--wait-timeout", "420", "--no-recreate")
		return err == nil
	}, 8*time.Minute, 5*time.Second, "all are healthy again")
	p.t.Logf("LocalStack restarted: all healthy again after %.0f s", time.Since(at).Seconds())

	r := p.clean("--allow-gaps")
	var first time.Time
	require.NoError(p.t, p.ask([]any{&first}, `SELECT min(from_at) FROM shardgroup.gaps`), "each reader declares a gap for each shard")
	require.WithinDuration(p.t, at, first, 15*time.Second)

	lost, rate := r.Count("points", "in_gap"), 100.0
	p.t.Logf("%d of %d points acknowledged are in the gap, which began %.1f s before the restart", lost, r.Count("points", "accepted"), at.Sub(first).Seconds())
	require.Less(p.t, float64(lost), rate*15)
}

// killed kills the workers and a reader with -9, and starts again what docker does
// not.
func (p *project) killed() {
	p.t.Helper()
	p.run("kill", "--signal", "KILL", "dispatch", "history")
	p.up("--no-recreate")
	p.clean("--allow-gaps")
}

// ridesEnd waits until every ride is terminal and no new one was requested for a
// while.
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
