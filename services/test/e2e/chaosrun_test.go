package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/demo/runfile"
	"tandem/services/domain/city"
	"tandem/services/test/testenv"
	"tandem/services/tools/audit"
)

// chaos is a demo with drivers and without riders, and the rides that a test books.
type chaos struct {
	*testing.T
	*demo
	api     *client.API
	pool    *pgxpool.Pool
	booking sync.WaitGroup

	mu      sync.Mutex
	streets *city.City
	rng     *rand.Rand
	rides   map[string]string // by key: the id, once it is booked
}

func newChaos(t *testing.T, args ...string) *chaos {
	t.Helper()
	chaosWanted(t)
	d := boot(t, testenv.DemoDir(t, "e2e"), append([]string{"--drivers", "60", "--riders", "0", "--speed", "20"}, args...)...)
	run := d.runFile(t)
	streets, err := city.Load()
	require.NoError(t, err)
	pool, err := pgxpool.New(t.Context(), run.DatabaseURL)
	require.NoError(t, err)
	t.Cleanup(pool.Close)

	return &chaos{
		T: t, demo: d, pool: pool, streets: streets, rng: rand.New(rand.NewPCG(1, 1)), rides: map[string]string{},
		api: client.New(client.Options{GatewayURL: d.base, OperatorKey: run.OperatorKey}),
	}
}

// log prints a line of what is measured.
func (c *chaos) log(format string, args ...any) {
	c.Helper()
	c.Logf("%s", fmt.Sprintf(format, args...))
}

func (c *chaos) pause(d time.Duration) {
	select {
	case <-c.Context().Done():
	case <-time.After(d):
	}
}

// bookFor books a ride every now and then, for as long as what was taken away is to
// be away.
func (c *chaos) bookFor(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); c.pause(bookEvery) {
		c.book()
	}
}

// place is a place of the city; mu is held.
func (c *chaos) place() client.Place {
	p := c.streets.RandomPlace(c.rng, 12)
	return client.Place{Point: p.Point, Label: p.Label}
}

// freeze stops the process of a role, and each that the supervisor starts in its
// place, until release lets it go on.
func (c *chaos) freeze(role string) (release func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for frozen := map[int]bool{}; ; {
			run, _ := runfile.Read(c.dir) // the next look is soon
			for _, p := range run.Processes {
				if p.Role == role && p.PID != 0 && !frozen[p.PID] {
					frozen[p.PID] = syscall.Kill(p.PID, syscall.SIGSTOP) == nil
				}
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-end:
				for pid := range frozen {
					_ = syscall.Kill(pid, syscall.SIGCONT) // one of before is gone
				}
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

// startWorker starts a dispatch worker beside the demo, which has none.
func (c *chaos) startWorker(name string) {
	c.Helper()
	run := c.runFile(c.T)
	log, err := os.Create(filepath.Join(c.dir, name+".log"))
	require.NoError(c, err)

	cmd := exec.Command(binary(c.T), "dispatch")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "TANDEM_DATABASE_URL="+run.DatabaseURL, "TANDEM_BACKEND="+run.Backend, "TANDEM_AWS_ENDPOINT="+run.AWSEndpoint,
		"TANDEM_SIGNING_KEY="+run.SigningKey, "TANDEM_NEARBY_URL="+run.URL("nearby"), "TANDEM_WORKER="+name)
	require.NoError(c, cmd.Start())
	c.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
	})
}

// faults sends rules to the emulator.
func (c *chaos) faults(method, rules string) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, c.runFile(c.T).AWSEndpoint+"/_aws/faults", strings.NewReader(rules))
	require.NoError(c, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c, err)
	require.NoError(c, resp.Body.Close())
	require.Less(c, resp.StatusCode, 300)
}

// count runs a query; -1: Postgres does not answer.
func (c *chaos) count(sql string, args ...any) int {
	n := -1
	_ = c.pool.QueryRow(c.Context(), sql, args...).Scan(&n)
	return n
}

// states counts the rides of each state.
func (c *chaos) states() string {
	var s string
	_ = c.pool.QueryRow(c.Context(), `SELECT coalesce(string_agg(n || ' ' || state, ', ' ORDER BY state), 'no rides')
		FROM (SELECT state, count(*) n FROM ride.rides GROUP BY state) s`).Scan(&s)
	return s
}

// unoffered are the histories of the rides that no driver was asked for yet, in
// seconds from back.
func (c *chaos) unoffered(back time.Time) string {
	var s string
	_ = c.pool.QueryRow(c.Context(), `SELECT coalesce(string_agg(h, '; '), 'none') FROM (
		SELECT string_agg(kind || ' ' || round(extract(epoch FROM at - $1), 1), ', ' ORDER BY seq) AS h FROM ride.ride_events
		GROUP BY ride_id HAVING count(*) FILTER (WHERE kind IN ('offered', 'cancelled', 'unfulfilled')) = 0) AS rides`, back).Scan(&s)
	return s
}

// offered reports whether a ride is booked and has been offered to a driver.
func (c *chaos) offered(key string) bool {
	c.mu.Lock()
	id := c.rides[key]
	c.mu.Unlock()
	return id != "" && c.count(`SELECT count(*) FROM ride.ride_events WHERE ride_id = $1 AND kind = 'offered'`, id) > 0
}

// allOffered reports whether that is so of each that a test has booked and that has
// not expired; or a worker has looked since back and found that nobody is free there.
func (c *chaos) allOffered(back time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.rides {
		if id == "" {
			return false
		}
	}
	return c.count(`SELECT count(*) FROM ride.rides r WHERE r.state <> 'unfulfilled' AND r.rider_id LIKE 'chaos-%' AND NOT EXISTS (
		SELECT FROM ride.ride_events e WHERE e.ride_id = r.id AND (e.kind = 'offered' OR e.kind = 'requeued' AND e.at > $1))`, back) == 0
}

func (c *chaos) booked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rides)
}

// allReady reports whether every process says that it is ready.
func (c *chaos) allReady() bool {
	run, err := runfile.Read(c.dir)
	if err != nil {
		return false // it is being written
	}
	for _, p := range run.Processes {
		if p.PID == 0 || p.URL != "" && p.Role != "simulator" && !ready(c.Context(), p.URL) {
			return false
		}
	}
	return true
}

// audit runs `tandem audit` at rest, as a person would.
func (c *chaos) audit() (r audit.Report) {
	c.Helper()
	out, err := exec.Command(binary(c.T), "audit", "--data", c.dir, "--at-rest", "--json").Output()
	require.NoError(c, json.Unmarshal(out, &r), "%s: %v", out, err)
	return r
}
