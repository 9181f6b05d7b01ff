package e2e

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/internal/auth"
	"tandem/services/internal/ledger"
)

// traffic is drivers who send points beside the demo's own, without a ride. What they
// are promised is in a ledger that audit reads too.
type traffic struct {
	accepted atomic.Int64
	refused  atomic.Int64
	began    time.Time
	end      func()
}

// startTraffic has drivers send a batch of perSecond points each second, until end.
func (c *chaos) startTraffic(drivers, perSecond int) *traffic {
	c.Helper()
	promises, err := ledger.Open(ledger.Beside(c.runFile(c.T).Ledger, "load"), 0)
	require.NoError(c, err)

	ctx, cancel := context.WithCancel(c.Context())
	l := &traffic{began: time.Now()}
	var running sync.WaitGroup
	for i := range drivers {
		d := trafficDriver{id: fmt.Sprintf("load-%04d", i), n: i, session: c.api.As(auth.Driver, fmt.Sprintf("load-%04d", i))}
		running.Go(func() { d.drive(ctx, l, promises, time.Duration(i)*time.Second/time.Duration(drivers), perSecond) })
	}

	l.end = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		require.NoError(c, promises.Close())
		c.log("traffic: %d points accepted in %.0f s, %.0f a second; %d batches were not, and were sent again",
			l.accepted.Load(), time.Since(l.began).Seconds(), l.rate(), l.refused.Load())
	})
	c.Cleanup(l.end)
	return l
}

// rate is the points a second that were accepted so far.
func (l *traffic) rate() float64 { return float64(l.accepted.Load()) / time.Since(l.began).Seconds() }

// trafficDriver drives in a circle about the city.
type trafficDriver struct {
	id      string
	n       int
	session *client.Session
	last    int64 // ms; the newest point that was made
}

// drive sends the last second's points each second, and those that were not accepted
// again before it makes others.
func (d *trafficDriver) drive(ctx context.Context, l *traffic, promises *ledger.Writer, after time.Duration, points int) {
	select {
	case <-time.After(after): // the drivers' turns are spread over the second
	case <-ctx.Done():
		return
	}

	d.last = time.Now().UnixMilli()
	var batch []client.Point
	for tick := time.NewTicker(time.Second); ; {
		select {
		case now := <-tick.C:
			if batch == nil {
				batch = d.points(now.UnixMilli(), points)
			}
		case <-ctx.Done():
			return
		}

		// Not ctx: an answer that nobody waits for would be a promise that nobody knows.
		answer, err := d.session.SendPoints(context.WithoutCancel(ctx), batch)
		entry := client.NewPointsEntry(d.id, batch, answer)
		_ = promises.Write(client.Entry{At: time.Now(), Kind: client.KindPoints, Points: &entry}) // Close returns the error too
		l.accepted.Add(int64(answer.Accepted))
		if err != nil {
			l.refused.Add(1)
			continue
		}
		batch = nil
	}
}

func (d *trafficDriver) points(now int64, n int) (out []client.Point) {
	for k := range n {
		at := d.last + (now-d.last)*int64(k+1)/int64(n)
		angle := float64(at)/600_000 + float64(d.n) // a round takes an hour: some 10 m/s
		speed, heading := 9.5, math.Mod(float64(at)/1000, 360)
		out = append(out, client.Point{Seq: at, At: at, Lat: -34.85 + 0.05*math.Sin(angle), Lon: -56.17 + 0.06*math.Cos(angle), Speed: &speed, Heading: &heading})
	}
	d.last = now
	return out
}

// streamReaders are the readers of the demo.
var streamReaders = []string{"history", "heatmap", "mapfeed", "nearby"}

// lags collects how far each reader is behind, in seconds.
type lags struct {
	mu sync.Mutex
	of map[string][]float64
}

// watchLags looks four times a second, as the checkpoints of history and heatmap say,
// and as the console has heard from mapfeed and nearby.
func (c *chaos) watchLags() *lags {
	l := &lags{of: map[string][]float64{}}
	admin := c.api.As(auth.Admin, "chaos")
	go func() {
		for c.Context().Err() == nil {
			seen := c.checkpointLags()
			if o, err := admin.Overview(c.Context()); err == nil {
				for _, r := range o.Readers {
					if (r.Reader == "mapfeed" || r.Reader == "nearby") && r.BehindMS != nil {
						seen[r.Reader] = float64(*r.BehindMS) / 1000
					}
				}
			}

			l.mu.Lock()
			for reader, s := range seen {
				l.of[reader] = append(l.of[reader], s)
			}
			l.mu.Unlock()
			c.pause(250 * time.Millisecond)
		}
	}()
	return l
}

// checkpointLags is by group the slowest shard's.
func (c *chaos) checkpointLags() map[string]float64 {
	out := map[string]float64{}
	rows, err := c.pool.Query(c.Context(), `
		SELECT s.group_name, extract(epoch FROM max(now() - coalesce(greatest(c.arrived_at, c.tip_at), l.since)))::float8
		FROM shardgroup.leases l JOIN shardgroup.streams s ON s.id = l.stream_id LEFT JOIN shardgroup.checkpoints c USING (stream_id, shard)
		WHERE l.completed_at IS NULL GROUP BY 1`)
	if err != nil {
		return out
	}
	defer rows.Close()
	for rows.Next() {
		var group string
		var s float64
		if rows.Scan(&group, &s) == nil {
			out[group] = s
		}
	}
	return out
}

// take returns what was collected since the last take, sorted, and forgets it.
func (l *lags) take() map[string][]float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.of
	l.of = map[string][]float64{}
	for _, v := range out {
		slices.Sort(v)
	}
	return out
}

// p95 returns the 95th percentile of sorted values, +Inf where there is none.
func p95(sorted []float64) float64 {
	if len(sorted) == 0 {
		return math.Inf(1)
	}
	return sorted[(len(sorted)-1)*95/100]
}

// say prints the lags of each reader, and returns them.
func (c *chaos) say(when string, l *lags) map[string][]float64 {
	c.Helper()
	seen := l.take()
	line := when + ":"
	for _, reader := range streamReaders {
		if v := seen[reader]; len(v) > 0 {
			line += fmt.Sprintf(" %s %.2f s behind, p95 %.2f, at most %.2f;", reader, v[len(v)/2], p95(v), v[len(v)-1])
		}
	}
	c.log("%s", line)
	return seen
}
