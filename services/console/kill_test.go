package console

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// What makes TestMain a worker process: the message that it says it holds.
const heldByWorker = "TANDEM_TEST_HELD"

func TestMain(m *testing.M) {
	if held, ok := os.LookupEnv(heldByWorker); ok {
		beWorker(held)
	}
	os.Exit(m.Run())
}

// statusOf is what a dispatch worker answers that holds a message.
func statusOf(pid int, held string) string {
	return fmt.Sprintf(`{"service":"dispatch","pid":%d,"detail":{"worker":"w","in_flight":[{"message_id":"other","receives":1},{"message_id":%q,"receives":2}]}}`, pid, held)
}

// beWorker answers as a dispatch worker, in a process of its own, until that is killed.
func beWorker(held string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, statusOf(os.Getpid(), held))
	}))
	fmt.Println(server.URL)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the test ends
	os.Exit(0)
}

// process is a worker process, and whether it has ended.
type process struct {
	pid   int
	url   string
	ended chan struct{}
	how   string // once it has ended
}

func startWorker(t *testing.T, held string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), heldByWorker+"="+held)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	url, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)

	p := &process{pid: cmd.Process.Pid, url: strings.TrimSpace(url), ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the state says how
		p.how = cmd.ProcessState.String()
		close(p.ended)
	}()
	t.Cleanup(func() { _ = stdin.Close(); <-p.ended })
	return p
}

// lives wants that the process still answers.
func (p *process) lives(t *testing.T) {
	t.Helper()
	answer, err := http.Get(p.url)
	require.NoError(t, err, "it was killed")
	require.NoError(t, answer.Body.Close())
}

// killing is a console of which a worker may be killed.
type killing struct {
	handler http.Handler
	signer  *auth.Signer
	log     *bytes.Buffer
}

// newKilling returns a console that knows these workers by their URLs. The ride r has
// the message m1, which is deleted, and m2.
func newKilling(t *testing.T, kills bool, workers ...string) killing {
	t.Helper()
	signer, log := testSigner(t), &bytes.Buffer{}
	events := `{"events":[{"kind":"received","data":{"message_id":"m1"}},{"kind":"deleted","data":{"message_id":"m1"}},{"kind":"queued","data":{"message_id":"m2"}}],"next":9}`
	booking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/events") && r.URL.Query().Get("after") == "0":
			_, _ = fmt.Fprint(w, events)
		case strings.HasSuffix(r.URL.Path, "/events"):
			_, _ = fmt.Fprint(w, `{"events":[],"next":9}`)
		default:
			_, _ = fmt.Fprint(w, `{"rider_id":"r1","driver_id":"d1"}`)
		}
	}))
	t.Cleanup(booking.Close)
	cfg := Config{Auth: signer, KillWorkers: kills, Peers: []Peer{{"booking", booking.URL}}}
	cfg.AWS.Endpoint = "http://127.0.0.1:1"
	for i, url := range workers {
		cfg.Peers = append(cfg.Peers, Peer{fmt.Sprintf("dispatch-%d", i+1), url})
	}
	s := &service{
		cfg: cfg, gather: newGatherer(cfg, &fakeQueues{}, signer), booking: httpclient.ForService(booking.URL, signer, "console"),
		log: slog.New(slog.NewTextHandler(log, nil)),
	}
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "console", Auth: signer, Routes: s.routes(),
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)
	return killing{h, signer, log}
}

func (k killing) ask(t *testing.T, method, path string, role auth.Role, subject string) (int, map[string]any) {
	t.Helper()
	token, err := k.signer.Sign(auth.Identity{Subject: subject, Role: role}, time.Minute)
	require.NoError(t, err)
	// What a client says of processes is nothing that anybody reads.
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(fmt.Sprintf(`{"pid":%d,"worker":"dispatch-1"}`, os.Getpid())))
	req.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	k.handler.ServeHTTP(rec, req)
	var body map[string]any
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &body), rec.Body)
	return rec.Code, body
}

func (k killing) kill(t *testing.T) (int, map[string]any) {
	t.Helper()
	return k.ask(t, "POST", "/v1/rides/r/worker/kill", auth.Admin, "ops")
}

func TestTheWorkerThatHoldsTheMessageIsKilledAndNoOther(t *testing.T) {
	t.Parallel()
	idle, holder := startWorker(t, "m1"), startWorker(t, "m2")
	k := newKilling(t, true, idle.url, holder.url)

	status, body := k.kill(t)
	require.Equal(t, 200, status, body)
	require.Equal(t, map[string]any{"worker": "dispatch-2", "pid": float64(holder.pid), "message_id": "m2", "receives": 2.0, "others": 1.0}, body)
	<-holder.ended
	require.Equal(t, "signal: killed", holder.how)
	idle.lives(t)

	// Whoever looks at the ride sees it, not only who asked for it.
	status, seen := k.ask(t, "GET", "/v1/rides/r/worker", auth.Rider, "r1")
	require.Equal(t, 200, status)
	require.Equal(t, body, seen["killed"])
	require.Nil(t, seen["holder"])
	require.Contains(t, k.log.String(), fmt.Sprintf("by=ops worker=dispatch-2 pid=%d ride_id=r message_id=m2", holder.pid))
}

func TestNobodyIsKilledWho(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		held, outside string
		role          auth.Role
		status        int
		says          string
	}{
		"holds no message of the ride":           {held: "m3", status: 409, says: "No worker holds a message of this ride"},
		"has deleted the ride's message":         {held: "m1", status: 409, says: "No worker holds a message of this ride"},
		"is no process of this machine":          {held: "m2", outside: "compose", status: 409, says: "docker compose"},
		"is asked about by the ride's own rider": {held: "m2", role: auth.Rider, status: 403},
		"is asked about by another service":      {held: "m2", role: auth.Service, status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worker := startWorker(t, tc.held)
			k := newKilling(t, tc.outside == "", worker.url)
			status, body := k.ask(t, "POST", "/v1/rides/r/worker/kill", cmp.Or(tc.role, auth.Admin), "r1")
			require.Equal(t, tc.status, status, body)
			require.Contains(t, body["detail"], tc.says)
			worker.lives(t)
			require.Empty(t, k.log.String())
		})
	}
}

// Between the look and the kill a worker may finish, and its pid may be another's.
func TestAWorkerThatHasJustFinishedIsNotKilled(t *testing.T) {
	t.Parallel()
	victim := startWorker(t, "m2")
	var asked atomic.Int64
	quick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			_, _ = fmt.Fprint(w, statusOf(victim.pid, "m2"))
			return
		}
		_, _ = fmt.Fprint(w, statusOf(victim.pid, "m3"))
	}))
	t.Cleanup(quick.Close)
	k := newKilling(t, true, quick.URL)

	status, body := k.kill(t)
	require.Equal(t, 409, status, body)
	require.Contains(t, body["detail"], "just finished")
	victim.lives(t)
}

func TestWhoHoldsARidesMessageIsForTheRidesOwnPeople(t *testing.T) {
	t.Parallel()
	holder := startWorker(t, "m2")
	k := newKilling(t, true, holder.url)
	for _, tc := range []struct {
		role    auth.Role
		subject string
		status  int
	}{{auth.Rider, "r1", 200}, {auth.Driver, "d1", 200}, {auth.Admin, "ops", 200}, {auth.Rider, "r2", 404}, {auth.Viewer, "v", 403}} {
		status, body := k.ask(t, "GET", "/v1/rides/r/worker", tc.role, tc.subject)
		require.Equal(t, tc.status, status, body)
		if status != 200 {
			continue
		}
		require.Equal(t, map[string]any{"worker": "dispatch-1", "pid": float64(holder.pid), "message_id": "m2", "receives": 2.0, "others": 1.0}, body["holder"])
		require.Equal(t, true, body["killable"])
	}

	// One that was killed holds nothing, though the ride's history knows of no end.
	status, body := k.kill(t)
	require.Equal(t, 200, status, body)
	<-holder.ended
	_, body = k.ask(t, "GET", "/v1/rides/r/worker", auth.Rider, "r1")
	require.Nil(t, body["holder"])
	require.NotZero(t, body["at"])
}
