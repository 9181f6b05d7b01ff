package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/demo/pgserver"
	"tandem/services/demo/runfile"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/test/testenv"
)

// These take something away for minutes, in real time and with the default profile,
// while rides are booked, and then want that it is soon as if nothing had been: no
// dead letter, every ride ended, a clean audit.

const (
	awayFor      = 2 * time.Minute
	noWorkersFor = 12 * time.Minute // longer than a ride looks for a driver
	bookEvery    = 6 * time.Second
	backWithin   = 10 * time.Second
)

// TestTwoMinutesWithoutNearby freezes the process, so that calls to it hang.
func TestTwoMinutesWithoutNearby(t *testing.T) {
	c := newChaos(t)

	release := c.freeze("nearby")
	c.bookFor(awayFor)
	require.False(t, ready(t.Context(), c.runFile(t).URL("nearby")), "it was away")
	c.log("before it is back: %s", c.states())

	back := time.Now()
	release()
	c.recovers(back)
	c.endsWell()
}

// TestTwoMinutesWithoutPostgres kills the server, so that connections are refused.
func TestTwoMinutesWithoutPostgres(t *testing.T) {
	chaosWanted(t)
	cache, err := runfile.CacheDir()
	require.NoError(t, err)
	o := pgserver.Options{Dir: filepath.Join(testenv.DemoDir(t, "e2e"), "postgres"), Cache: cache, Say: func(line string) { t.Log(line) }}
	server, err := testenv.StartPostgres(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { server.Stop() })
	c := newChaos(t, "--database-url", server.URL())

	server.Kill()
	c.bookFor(awayFor)
	require.Error(t, server.Ping(t.Context()), "it was away")

	server, err = testenv.StartPostgres(t.Context(), o)
	require.NoError(t, err)
	back := time.Now()
	c.recovers(back)
	c.endsWell()
}

// TestTwelveMinutesWithoutWorkers lets requests wait until their rides have expired,
// and sees that no message is sent again for one that only waits.
func TestTwelveMinutesWithoutWorkers(t *testing.T) {
	c := newChaos(t, "--workers", "0")

	began := time.Now()
	for range 20 {
		c.book()
	}
	c.booking.Wait()
	c.pause(noWorkersFor - time.Since(began) - time.Minute)
	rides := c.count(`SELECT count(*) FROM ride.rides`) // those of the simulator's first riders too
	sent := c.count(`SELECT count(*) FROM ride.outbox WHERE queue = $1 AND sent_at IS NOT NULL`, event.QueueRideRequests)
	c.log("%d rides, %d messages sent: %.2f a ride; %s", rides, sent, float64(sent)/float64(rides), c.states())
	require.GreaterOrEqual(t, sent, rides)
	require.LessOrEqual(t, float64(sent)/float64(rides), 1.2)

	for range 5 { // these still have time when the workers come
		c.book()
	}
	c.pause(noWorkersFor - time.Since(began))
	back := time.Now()
	c.startWorker("dispatch-1")
	c.startWorker("dispatch-2")
	c.recovers(back)
	c.endsWell()
}

// TestSlowSQSWithAThousandRowsWaiting has every call of SQS that moves a message take
// a second, and a thousand rows wait in the outbox.
func TestSlowSQSWithAThousandRowsWaiting(t *testing.T) {
	c := newChaos(t, "--faults")
	c.slowSQS()

	// Rides that end at once: their messages are what is looked at here, not drivers.
	const rides = 500
	store := ride.NewStore(c.pool, profile.Default())
	for i := range rides {
		r, _, err := store.Create(t.Context(), ride.Booking{RiderID: fmt.Sprintf("crowd-%d", i), Key: "k", Price: ride.Money{Currency: "UYU"}})
		require.NoError(t, err)
		_, err = store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActCancel}, "rider")
		require.NoError(t, err)
	}
	const unsent = `SELECT count(*) FROM ride.outbox WHERE sent_at IS NULL`
	rows, waiting, began := c.count(`SELECT count(*) FROM ride.outbox`), c.count(unsent), time.Now()
	require.GreaterOrEqual(t, rows, 2*rides)
	require.Eventually(t, func() bool { return c.count(unsent) == 0 }, 5*time.Minute, time.Second)
	c.log("%d rows, of which %d waited: all sent after %.0f s", rows, waiting, time.Since(began).Seconds())

	for range 5 {
		c.book()
	}
	c.booking.Wait()
	back := time.Now()
	c.faults(http.MethodDelete, "")
	c.recovers(back)
	c.endsWell()

	// Each request as a worker received it: a row that was sent twice has two messages.
	const of = ` FROM ride.ride_events WHERE kind = 'received'`
	messages, requests := c.count(`SELECT count(DISTINCT data->>'message_id')`+of), c.count(`SELECT count(DISTINCT (ride_id, attempt))`+of)
	c.log("%d requests, %d messages: %.3f a row", requests, messages, float64(messages)/float64(requests))
	require.GreaterOrEqual(t, requests, rides)
	require.LessOrEqual(t, float64(messages)/float64(requests), 1.1)
}

// recovers wants that rides are soon offered to drivers again and every process is
// ready. The rides that waited take as long as a few workers need for them.
func (c *chaos) recovers(back time.Time) {
	c.Helper()
	fresh := c.book()
	again, every := c.after(back, func() bool {
		return c.count(`SELECT count(*) FROM ride.ride_events WHERE kind = 'offered' AND at > $1`, back) > 0
	}), c.after(back, c.allReady)
	one, all := c.after(back, func() bool { return c.offered(fresh) }), c.after(back, func() bool { return c.allOffered(back) })

	first, ready := <-again, <-every
	c.log("back: the first offer after %.1f s, every process is ready after %.1f s, a ride booked now has an offer after %.1f s, the last of all %d was looked at after %.1f s",
		first.Seconds(), ready.Seconds(), (<-one).Seconds(), c.booked(), (<-all).Seconds())
	c.log("rides that still wait for a free driver: %s", c.unoffered(back))
	require.Less(c, max(first, ready), backWithin)
}

// after returns how long after back it became true; minutes, if it never did.
func (c *chaos) after(back time.Time, became func() bool) <-chan time.Duration {
	out := make(chan time.Duration, 1)
	go func() {
		for time.Since(back) < 2*time.Minute && !became() {
			c.pause(50 * time.Millisecond)
		}
		out <- time.Since(back)
	}()
	return out
}

// endsWell wants every ride ended, no dead letter, and a clean audit.
func (c *chaos) endsWell() {
	c.Helper()
	c.booking.Wait()
	require.Eventually(c, func() bool {
		return c.count(`SELECT count(*) FROM ride.rides WHERE state NOT IN ('completed', 'cancelled', 'unfulfilled')`) == 0
	}, 6*time.Minute, time.Second)
	c.log("at the end: %s", c.states())

	report := c.audit()
	for _, check := range report.Checks {
		c.log("audit %-14s %v %s", check.Name, check.OK, check.Detail)
	}
	require.True(c, report.OK)
	require.Zero(c, report.Count("queues", "dead"), "dead letters")
}

func chaosWanted(t *testing.T) {
	t.Helper()
	if os.Getenv("TANDEM_CHAOS") == "" {
		t.Skip("takes minutes: run it with make chaos")
	}
}

// slowSQS makes each call of SQS that moves messages take a second.
func (c *chaos) slowSQS() {
	rules := ""
	for _, op := range []string{"SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"} {
		rules += fmt.Sprintf(`,{"operation": %q, "kind": "latency", "latency_ms": 1000, "probability": 1}`, op)
	}
	c.faults(http.MethodPut, "["+rules[1:]+"]")
}

// book books a ride, for as long as that takes, and returns its key.
func (c *chaos) book() (key string) {
	c.mu.Lock()
	n := len(c.rides)
	key = fmt.Sprintf("chaos-%d", n)
	c.rides[key] = ""
	pickup, dropoff := c.place(), c.place()
	c.mu.Unlock()

	c.booking.Go(func() {
		ctx, cancel := context.WithTimeout(c.Context(), awayFor+time.Minute)
		defer cancel()
		r, status, err := c.api.As("rider", key).Book(ctx, key, client.Booking{Pickup: pickup, Dropoff: dropoff})
		if err != nil {
			c.Errorf("ride %s: status %d: %v", key, status, err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.rides[key] = r.ID
	})
	return key
}
