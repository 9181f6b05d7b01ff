package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// report is the file that --report names.
type report struct {
	Version   string               `json:"version"`
	StartedAt time.Time            `json:"started_at"`
	Seconds   float64              `json:"seconds"`
	Counts                         // rides, points
	Latency   map[string]quantiles `json:"latency_ms"`
	Audit     Audit                `json:"audit"`
	MemoryMB  float64              `json:"memory_mb"` // all processes, shared pages once
	CPUCores  float64              `json:"cpu_cores"` // all processes, over the run
}

type quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// finish runs a demo with --for: riders request rides for that long, the rides
// under way end, then finish audits and reports. ok is the audit's verdict.
func (d *demo) finish(ctx context.Context) (ok bool, err error) {
	began, usage := time.Now(), d.usage()

	d.watch(ctx, func() bool {
		s, err := d.simulator(ctx)
		return err == nil && s.Phase == "finished"
	})
	if ctx.Err() != nil {
		return false, errors.New("ended before --for was over: nothing was audited")
	}

	after := d.usage()

	r := report{
		Version: d.Version, StartedAt: began.UTC(), Seconds: time.Since(began).Seconds(),
		MemoryMB: after.memoryMB, CPUCores: (after.cpuSeconds - usage.cpuSeconds) / time.Since(began).Seconds(),
	}

	if r.Latency, err = d.latencies(ctx); err != nil {
		return false, err
	}

	// The audit reads data at rest and a ledger that is closed.
	d.endSimulator()
	if r.Audit, err = d.Audit(ctx, d.run.get()); err != nil {
		return false, fmt.Errorf("audit: %w", err)
	}

	r.Counts = r.Audit.Counts
	if err := d.writeReport(r); err != nil {
		return false, err
	}

	d.screen.line(fmt.Sprintf(" %d rides requested, %d completed; %d points accepted, %d stored, %d lost; audit %s",
		r.Rides.Requested, r.Rides.Completed, r.Points.Accepted, r.Points.Stored, r.Points.Lost, verdict(r.Audit.OK)))
	return r.Audit.OK, nil
}

func (d *demo) endSimulator() {
	// Ctrl-C at this moment must not kill the simulator before its ledger is closed.
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	d.sup.End(ctx, "simulator")
}

func verdict(ok bool) string {
	if ok {
		return "ok"
	}
	return "FAILED"
}

// latencies returns what the simulator measured (how long an app waited) and what
// each reader did (from a point's arrival on the stream until it was applied).
func (d *demo) latencies(ctx context.Context) (map[string]quantiles, error) {
	s, err := d.simulator(ctx)
	if err != nil {
		return nil, fmt.Errorf("the simulator's report: %w", err)
	}

	o, err := d.overview(ctx)
	if err != nil {
		return nil, fmt.Errorf("the console's overview: %w", err)
	}

	out := map[string]quantiles{}
	for name, q := range s.Latency {
		out[name] = quantiles{q.P50, q.P99}
	}
	for _, r := range o.Readers {
		if r.Latency != nil {
			out["point_to_"+r.Reader] = quantiles{r.Latency.P50, r.Latency.P99}
		}
	}
	return out, nil
}

func (d *demo) writeReport(r report) error {
	if d.Report == "" {
		return nil
	}

	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := os.WriteFile(d.Report, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}

	return nil
}
