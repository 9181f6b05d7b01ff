package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tandem/services/domain/event"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
)

// simStatus is what the demo reads of the simulator's status.
type simStatus struct {
	Phase   string `json:"phase"`
	OnRoad  int    `json:"drivers_on_road"`
	Open    int    `json:"rides_open"`
	Latency map[string]struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latency_ms"`
}

// overview is what the demo reads of the console's. What is nil is not known.
type overview struct {
	At     time.Time `json:"at"`
	Queues []struct {
		Name     string `json:"name"`
		Dead     bool   `json:"dead"`
		Visible  *int   `json:"visible"`
		InFlight *int   `json:"in_flight"`
		Error    string `json:"error"` // what the counts are from is a while ago
	} `json:"queues"`
	Shards []struct {
		PointsPerSecond *float64 `json:"points_per_s"`
	} `json:"shards"`
	Readers []struct {
		Reader   string `json:"reader"`
		OK       bool   `json:"ok"`
		BehindMS *int64 `json:"behind_ms"` // of its slowest shard
		Latency  *struct {
			P50 float64 `json:"p50"`
			P99 float64 `json:"p99"`
		} `json:"latency_ms"`
		NotRead []string `json:"not_read"`
	} `json:"readers"`
	Rides *struct {
		PerMinute     float64    `json:"per_minute"`
		OldestWaiting *time.Time `json:"oldest_waiting"`
	} `json:"rides"`
	Workers []workerState `json:"workers"`
}

// workerState is what a dispatch worker says of itself.
type workerState struct {
	Name     string `json:"name"`
	OK       bool   `json:"ok"`
	Handling *int   `json:"handling"` // messages that it holds
}

func (d *demo) simulator(ctx context.Context) (simStatus, error) {
	var st httpserver.Status
	if err := d.ask(ctx, "simulator", "/v1/status", &st); err != nil {
		return simStatus{}, err
	}

	b, err := json.Marshal(st.Detail)
	if err != nil {
		return simStatus{}, err
	}
	var s simStatus
	return s, json.Unmarshal(b, &s)
}

func (d *demo) overview(ctx context.Context) (overview, error) {
	var o overview
	return o, d.ask(ctx, "console", "/v1/overview", &o)
}

func (d *demo) ask(ctx context.Context, process, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	_, err := d.clients[process].Once(ctx, httpclient.Request{Method: http.MethodGet, Path: path, Out: out})
	return err
}

// watch shows the status line until ctx ends or done returns true; done may be nil.
func (d *demo) watch(ctx context.Context, done func() bool) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()

	for done == nil || !done() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}

		o, err := d.overview(ctx)
		if err != nil {
			continue // the console is being restarted
		}
		d.screen.status(o.line())
	}
}

// behindAfter is how far behind the stream a reader may be on a shard, and the line
// still says how long its points take.
const behindAfter = 5 * time.Second

// line returns the status line: rides, points, queue depth, lag of each reader. What
// is not known is a question mark.
func (o overview) line() string {
	rides := "?"
	if o.Rides != nil {
		rides = fmt.Sprintf("%.0f", o.Rides.PerMinute)
	}
	parts := []string{fmt.Sprintf(" %s rides/min", rides), o.points() + " points/s"}

	for _, q := range o.Queues {
		switch {
		case q.Error != "" || q.Visible == nil || q.InFlight == nil:
			if q.Name == event.QueueRideRequests {
				parts = append(parts, "queue ?")
			}
		case !q.Dead && q.Name == event.QueueRideRequests:
			parts = append(parts, fmt.Sprintf("queue %d waiting, %d in flight", *q.Visible, *q.InFlight))
		case q.Dead && *q.Visible > 0:
			parts = append(parts, fmt.Sprintf("%d in %s", *q.Visible, q.Name))
		}
	}

	var lags []string
	for _, r := range o.Readers {
		switch {
		case !r.OK:
			lags = append(lags, r.Reader+" down")
		case len(r.NotRead) > 0:
			lags = append(lags, r.Reader+" does not read")
		case r.BehindMS != nil && *r.BehindMS > behindAfter.Milliseconds():
			// A shard that stands still adds nothing to what points have taken so far.
			lags = append(lags, fmt.Sprintf("%s %.0f s behind", r.Reader, float64(*r.BehindMS)/1000))
		case r.Latency == nil:
			lags = append(lags, r.Reader+" ?")
		default:
			lags = append(lags, fmt.Sprintf("%s %.0f ms", r.Reader, r.Latency.P50))
		}
	}

	return strings.Join(append(parts, strings.Join(lags, ", ")), "   ")
}

// points returns how many points a second all shards take.
func (o overview) points() string {
	var sum float64
	for _, s := range o.Shards {
		if s.PointsPerSecond == nil {
			return "?"
		}
		sum += *s.PointsPerSecond
	}
	if len(o.Shards) == 0 {
		return "?"
	}
	return fmt.Sprintf("%.0f", sum)
}
