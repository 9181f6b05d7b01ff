package demo

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/domain/profile"
)

func TestFolderIsOneDemosAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	first, err := openFolder(dir, false)
	require.NoError(t, err)
	_, err = openFolder(dir, false)
	require.ErrorContains(t, err, "another demo runs")
	require.NoError(t, first.close())
	again, err := openFolder(dir, false)
	require.NoError(t, err, "the lock was given back")
	require.NoError(t, again.close())
}

func TestFolderOfAnotherVersionIsExplained(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	f, err := openFolder(dir, false)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(f.path("version"), []byte("0\n"), 0o600))
	require.NoError(t, f.close())
	_, err = openFolder(dir, false)
	require.ErrorContains(t, err, "--fresh")

	f, err = openFolder(dir, true)
	require.NoError(t, err, "--fresh forgets it")
	require.NoError(t, f.close())
}

func TestKeysStay(t *testing.T) {
	f, err := openFolder(filepath.Join(t.TempDir(), "demo"), false)
	require.NoError(t, err)
	first, err := f.key("signing-key")
	require.NoError(t, err)
	second, err := f.key("signing-key")
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.NoError(t, f.close())
}

// A process gets what its row names and nothing else.
func TestEnvironmentIsWhatTheRowNames(t *testing.T) {
	settings := map[string]string{"DATABASE_URL": "postgres://secret", "AWS_ENDPOINT": "http://aws", "SIGNING_KEY": "k", "PROFILE": "fast", "BACKEND": "emulator", "AWS_REGION": ""}
	rows := table(Options{Workers: Range{2, 2}, Backend: profile.Emulator}, "data", "ledger", "report")
	location := rows[slices.IndexFunc(rows, func(r row) bool { return r.name == "location" })]
	env, err := location.environ(systemEnviron([]string{"PATH=/bin", "AWS_SECRET_ACCESS_KEY=mine", "TANDEM_X=1"}, profile.Emulator), settings)
	require.NoError(t, err)
	all := strings.Join(env, "\n")
	require.Contains(t, all, "TANDEM_AWS_ENDPOINT=http://aws")
	require.Contains(t, all, "PATH=/bin")
	for _, absent := range []string{"secret", "mine", "TANDEM_X"} {
		require.NotContains(t, all, absent)
	}
	_, err = row{name: "x", needs: "NOWHERE"}.environ(nil, settings)
	require.ErrorContains(t, err, "NOWHERE")
}

// Elsewhere no emulator runs, each process that talks to AWS is told which one,
// and our own credentials reach them on AWS alone.
func TestAnotherBackendNeedsNoEmulator(t *testing.T) {
	for _, backend := range []string{profile.LocalStack, profile.AWS} {
		settings := map[string]string{}
		for _, name := range strings.Fields("DATABASE_URL AWS_ENDPOINT AWS_REGION SIGNING_KEY OPERATOR_KEY PROFILE PEERS WORKERS_FILE BOOKING_URL LOCATION_URL MAPFEED_URL NEARBY_URL HISTORY_URL HEATMAP_URL NOTIFICATION_URL CONSOLE_URL COMPARE_URL GATEWAY_URL") {
			settings[name] = "x"
		}
		settings["BACKEND"] = backend
		for _, r := range table(Options{Workers: Range{1, 1}, Backend: backend}, "", "", "") {
			require.NotEqual(t, "emulator", r.name)
			env, err := r.environ(systemEnviron([]string{"AWS_PROFILE=mine"}, backend), settings)
			require.NoError(t, err)
			if strings.Contains(r.needs, "AWS_ENDPOINT") {
				require.Contains(t, env, "TANDEM_BACKEND="+backend, r.name)
			}
			require.Equal(t, backend == profile.AWS, slices.Contains(env, "AWS_PROFILE=mine"), r.name)
			require.Equal(t, backend == profile.AWS && r.name == "simulator", slices.Contains(r.args, "--yes-this-costs-money"), "said once, to the demo")
		}
	}
}

// One click makes an operator of whoever reaches the gateway.
func TestOffLoopbackTakesConsent(t *testing.T) {
	for _, agreed := range []bool{false, true} {
		d := &demo{Options: Options{Addr: "0.0.0.0:0", DemoLoginOffLoopback: agreed}, settings: map[string]string{}, addrs: map[string]string{}}
		d.rows = []row{{name: "gateway", role: "gateway"}}
		listeners, err := d.listen()
		if !agreed {
			require.ErrorContains(t, err, "--demo-login-off-loopback")
			continue
		}
		require.NoError(t, err)
		require.NoError(t, listeners["gateway"].Close())
	}
}

func TestTableHasEveryWorker(t *testing.T) {
	var workers []string
	for _, r := range table(Options{Workers: Range{3, 3}, Backend: profile.Emulator}, "", "", "") {
		if r.role == "dispatch" {
			workers = append(workers, r.name)
		}
	}
	require.Equal(t, []string{"dispatch-1", "dispatch-2", "dispatch-3"}, workers)
}

// A reader that is asked for runs with the services, and is told no more than the others.
func TestAReaderMayBeAdded(t *testing.T) {
	o := Options{Workers: Range{1, 1}, Backend: profile.Emulator}
	named := func(o Options, name string) int {
		return slices.IndexFunc(table(o, "", "", ""), func(r row) bool { return r.name == name })
	}
	require.Negative(t, named(o, "speeding"))

	o.With = []string{"speeding"}
	rows := table(o, "", "", "")
	added, heatmap := rows[named(o, "speeding")], rows[named(o, "heatmap")]
	heatmap.name, heatmap.role = "speeding", "speeding"
	require.Equal(t, heatmap, added)
}

func TestEveryProcessIsToldWhereSpansGo(t *testing.T) {
	require.Empty(t, Options{TraceRatio: 1}.traceEnviron())
	require.Equal(t, []string{"TANDEM_OTLP_ENDPOINT=http://c:4318", "TANDEM_TRACE_RATIO=0.25"}, Options{OTLPEndpoint: "http://c:4318", TraceRatio: 0.25}.traceEnviron())
}

func TestScreenWritesPlainLines(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out)
	s.title(profile.Emulator)
	s.part("postgres", "1.1 s")
	s.part("emulator", "")
	s.links("http://127.0.0.1:8080", "./bin/tandem audit     ./bin/tandem feed FILE")
	s.status(" 14 rides/min")
	s.status(" not again within five seconds")
	require.Equal(t, []string{
		"Tandem   no AWS account, no token, nothing leaves this machine    Ctrl-C ends everything",
		" postgres ✓ 1.1 s   emulator ✓",
		" Map, book a ride      http://127.0.0.1:8080/",
		" Queue and stream      http://127.0.0.1:8080/admin",
		" In another terminal   ./bin/tandem audit     ./bin/tandem feed FILE",
		" 14 rides/min",
	}, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"))
}

func TestUsageCountsAProcessAndItsChildren(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skip("no /proc here: the report says 0")
	}
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	alone := usageOf("/proc", map[int]bool{cmd.Process.Pid: true})
	both := usageOf("/proc", map[int]bool{os.Getpid(): true})
	require.Positive(t, alone.memoryMB, strconv.Itoa(cmd.Process.Pid))
	require.Greater(t, both.memoryMB, alone.memoryMB)
}

func TestWhyAProcessIsNotReady(t *testing.T) {
	for body, want := range map[string]string{
		`{"checks":{"queue":"queue q does not exist: deploy it","postgres":"ok","leases":"failing"}}`: "leases: failing; queue: queue q does not exist: deploy it",
		`{"title":"bad gateway"}`: "it answers 503 Service Unavailable",
		`<html>`:                  "it answers 503 Service Unavailable",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, body)
		}))
		require.EqualError(t, answers(s.URL)(t.Context()), want)
		s.Close()
	}
}

func TestCommandsNameTheDataFolderWhereItIsNotTheUsualOne(t *testing.T) {
	usual, err := runfile.DefaultDir(profile.Emulator)
	require.NoError(t, err)
	for dir, want := range map[string]string{
		usual:            "./bin/tandem audit     ./bin/tandem feed FILE",
		"/data/x":        "./bin/tandem audit --data /data/x     ./bin/tandem feed --data /data/x FILE",
		"/my data's/$HO": `./bin/tandem audit --data '/my data'\''s/$HO'     ./bin/tandem feed --data '/my data'\''s/$HO' FILE`,
	} {
		d := &demo{Options: Options{Command: "./bin/tandem"}, folder: &folder{dir: dir}}
		require.Equal(t, want, d.commands())
	}
}

// What went wrong in the start before is not deleted by the next one.
func TestTheDemosLogIsKeptAcrossStarts(t *testing.T) {
	f, err := openFolder(filepath.Join(t.TempDir(), "demo"), false)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.close()) }()
	for _, version := range []string{"the-first", "the-second"} {
		d := &demo{Options: Options{Version: version}, folder: f}
		require.NoError(t, d.openLog())
		require.NoError(t, d.logFile.Close())
	}
	b, err := os.ReadFile(f.path("logs", "demo.log"))
	require.NoError(t, err)
	require.Contains(t, string(b), "the-first")
	require.Contains(t, string(b), "the-second")
}
