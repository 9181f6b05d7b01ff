package compose

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/tools/audit"
)

// project is a compose project of the test's own.
type project struct {
	t       *testing.T
	env     []string
	gateway string
	dbURL   string
}

// wanted skips the test if nobody asked for it, or no Docker engine answers.
func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("TANDEM_COMPOSE") == "" {
		t.Skip("brings docker compose up: run it with make compose")
	}
	if out, err := exec.Command("docker", "compose", "version").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: there is no docker compose here: %v: %s", err, out)
	}
	if out, err := exec.Command("docker", "version").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: no Docker engine answers: %v: %s", err, out)
	}
}

// newProject returns a project with free ports and random keys. When the test ends
// it is removed, with its volumes and its image.
func newProject(t *testing.T, settings ...string) *project {
	t.Helper()
	password := rand.Text()

	var ports []string
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		_, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		ports = append(ports, port)
	}

	p := &project{
		t: t, gateway: "http://127.0.0.1:" + ports[0],
		dbURL: fmt.Sprintf("postgres://tandem:%s@127.0.0.1:%s/tandem?sslmode=disable", password, ports[1]),
	}
	p.env = append(os.Environ(),
		"COMPOSE_PROJECT_NAME=tandem-test", "COMPOSE_PROGRESS=plain", "COMPOSE_PROFILES=", "TANDEM_IMAGE=tandem-test", "COMPOSE_DISABLE_ENV_FILE=1",
		"TANDEM_SIGNING_KEY="+base64.StdEncoding.EncodeToString([]byte(rand.Text()+rand.Text())), "TANDEM_OPERATOR_KEY="+rand.Text(),
		"POSTGRES_PASSWORD="+password, "TANDEM_PORT="+ports[0], "POSTGRES_PORT="+ports[1], "LOCALSTACK_PORT="+ports[2])
	p.env = append(p.env, settings...)

	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("containers:\n%s", p.try("ps", "--all"))
			t.Logf("the last that they said:\n%s", p.try("logs", "--tail", "40"))
		}
		t.Log(p.try("--profile", "tools", "down", "--volumes", "--remove-orphans", "--timeout", "12"))
		_ = exec.Command("docker", "image", "rm", "tandem-test").Run() // it may not have been built
	})
	return p
}

func (p *project) command(args ...string) (stdout, stderr string, err error) {
	// Not the test's context: that ends before the cleanup runs.
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()

	cmd := exec.CommandContext(ctx, "docker", append([]string{"compose"}, args...)...)
	cmd.Dir, cmd.Env = "../../..", p.env

	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), problems.String(), err
}

// try returns what a command printed, also if it failed.
func (p *project) try(args ...string) string {
	out, problems, err := p.command(args...)
	if err != nil {
		problems += err.Error()
	}
	return out + problems
}

// run runs a command that must succeed, and returns what it printed.
func (p *project) run(args ...string) string {
	p.t.Helper()
	out, problems, err := p.command(args...)
	require.NoError(p.t, err, "docker compose %s:\n%s%s", strings.Join(args, " "), out, problems)
	return out
}

// up waits until everything is healthy.
func (p *project) up(args ...string) {
	p.t.Helper()
	began := time.Now()
	p.run(append([]string{"up", "--wait", "--wait-timeout", "420"}, args...)...)
	p.t.Logf("up --wait %s: %.0f s", strings.Join(args, " "), time.Since(began).Seconds())
}

// audit returns the audit's report, also if a check failed.
func (p *project) audit(args ...string) audit.Report {
	p.t.Helper()
	out, problems, err := p.command(append([]string{"run", "--rm", "--no-TTY", "audit", "--json", "--wait", "1m"}, args...)...)

	var r audit.Report
	require.NoError(p.t, json.Unmarshal([]byte(out), &r), "%s%s%v", out, problems, err)
	for _, c := range r.Checks {
		p.t.Logf("%-14s %-6t %s", c.Name, c.OK, c.Detail)
	}
	return r
}

// clean audits and requires that nothing was lost, seen twice or out of order.
func (p *project) clean(args ...string) audit.Report {
	p.t.Helper()
	r := p.audit(args...)
	require.True(p.t, r.OK, "the audit")

	require.Zero(p.t, r.Count("rides", "lost"))
	for _, count := range []string{"lost", "duplicated"} {
		require.Zero(p.t, r.Count("points", count), count)
	}
	for _, count := range []string{"out_of_order", "not_rising"} {
		require.Zero(p.t, r.Count("order", count), count)
	}

	require.Positive(p.t, r.Count("points", "accepted"))
	return r
}

// ask runs a query that returns one row.
func (p *project) ask(into []any, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	c, err := pgx.Connect(ctx, p.dbURL)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	return c.QueryRow(ctx, query, args...).Scan(into...)
}

// writeRunFile writes the run file with which the browser tests compare the page.
// A worker is named after its container, and is the only process in it.
func (p *project) writeRunFile() (dir string) {
	p.t.Helper()
	r := runfile.Run{PID: os.Getpid(), Gateway: p.gateway, Backend: "localstack", DatabaseURL: p.dbURL}
	for _, id := range strings.Fields(p.run("ps", "--quiet", "dispatch")) {
		r.Processes = append(r.Processes, runfile.Process{Name: "dispatch-" + id[:12], Role: "dispatch", PID: 1})
	}

	dir = p.t.TempDir()
	require.NoError(p.t, runfile.Write(dir, r))
	require.FileExists(p.t, filepath.Join(dir, runfile.Name))
	return dir
}
