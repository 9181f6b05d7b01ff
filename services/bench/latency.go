package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	leastSeconds = 20  // for which a rate is measured at least
	leastRides   = 100 // at a rate
	slowest      = 2 * time.Second
	step         = 1.25 // from one rate to the next in search of the highest
)

// wantedRates are measured whatever comes out.
func wantedRates() []float64 { return []float64{1, 5, 20} }

// waits is what one run at one rate measured: how long each ride that got 201 waited
// for its first offer.
type waits struct {
	p50, p99 time.Duration
	rides    int
	none     int // got no offer before their rider left; they count as waits of riderWaits
	again    int // found no free driver at first, so they do not say how fast Tandem is
	refused  int // got no 201
}

// atRate is what all runs at a rate measured.
type atRate struct {
	perSecond float64
	runs      []waits
}

func (a atRate) each(of func(waits) float64) (out []float64) {
	for _, w := range a.runs {
		out = append(out, of(w))
	}
	return out
}

func (a atRate) sum(of func(waits) int) (n int) {
	for _, w := range a.runs {
		n += of(w)
	}
	return n
}

func p99(w waits) float64 { return float64(w.p99.Milliseconds()) }

// kept reports whether the p99 of the median run is below slowest, and every booking
// got its 201.
func (a atRate) kept() bool {
	return median(a.each(p99)) < float64(slowest.Milliseconds()) && a.sum(func(w waits) int { return w.refused }) == 0
}

// runLatency measures on a demo of its own, and writes to docs as runQueue does.
func runLatency(ctx context.Context, binary string, runs int, docs string) (err error) {
	d, stop, err := startDemo(ctx, binary, demoDrivers, demoWorkers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	c, err := newCrowd(d)
	if err != nil {
		return err
	}

	rates, err := search(func(perSecond float64) (atRate, error) {
		out := atRate{perSecond: perSecond}
		for range runs {
			w, err := c.measure(ctx, d.pool, perSecond)
			if err != nil {
				return out, err
			}
			fmt.Fprintf(os.Stderr, "%.3g rides/s: p50 %v, p99 %v, %d rides, %d without an offer, %d without a free driver at first, %d refused\n",
				perSecond, w.p50, w.p99, w.rides, w.none, w.again, w.refused)
			out.runs = append(out.runs, w)
		}
		return out, nil
	})
	if err != nil {
		return err
	}

	m, text := machine(), latencyTable(rates)
	fmt.Printf("%s; %s\n\n%s", m, counted(runs), text)
	if docs == "" {
		return nil
	}
	return replaceSection(docs, "latency", measuredOn(m, runs)+text+"\n")
}

// search measures the wanted rates, and then rises from the highest of them that was
// kept, until one is not. It returns what it measured by rate.
func search(measure func(perSecond float64) (atRate, error)) ([]atRate, error) {
	var rates []atRate
	highest := 0.0
	for _, r := range wantedRates() {
		a, err := measure(r)
		if err != nil {
			return nil, err
		}
		rates = append(rates, a)
		if a.kept() {
			highest = r
		}
	}

	measured := func(r float64) bool {
		return slices.ContainsFunc(rates, func(a atRate) bool { return a.perSecond == r })
	}
	for r := highest * step; highest > 0 && !measured(r); r *= step {
		// A wanted rate above the highest was not kept: nothing is to be found beyond.
		if i := slices.IndexFunc(rates, func(a atRate) bool { return a.perSecond > highest && a.perSecond <= r && !a.kept() }); i >= 0 {
			break
		}
		a, err := measure(r)
		if err != nil {
			return nil, err
		}
		rates = append(rates, a)
		if !a.kept() {
			break
		}
		highest = r
	}

	slices.SortFunc(rates, func(a, b atRate) int { return int(math.Copysign(1, a.perSecond-b.perSecond)) })
	return rates, nil
}

// measure books at a rate and returns what Postgres says of the rides.
func (c *crowd) measure(ctx context.Context, pool *pgxpool.Pool, perSecond float64) (waits, error) {
	d := time.Duration(max(leastSeconds, leastRides/perSecond) * float64(time.Second))
	rides, refused, err := c.book(ctx, perSecond, d)
	if err != nil {
		return waits{}, err
	}
	w, err := offered(ctx, pool, rides)
	w.refused = refused
	return w, err
}

// offered reads how long rides waited. Both ends are the database's clock: of when the
// ride was written, a moment before its 201, and of when its first offer was.
func offered(ctx context.Context, pool *pgxpool.Pool, rides []string) (w waits, err error) {
	rows, err := pool.Query(ctx, `SELECT extract(epoch FROM o.at - r.requested_at), o.attempt
		FROM ride.rides r LEFT JOIN LATERAL (
			SELECT at, attempt FROM ride.ride_events e WHERE e.ride_id = r.id AND kind = 'offered' ORDER BY seq LIMIT 1) o ON true
		WHERE r.id = ANY($1)`, rides)
	if err != nil {
		return w, err
	}

	var all []time.Duration
	var seconds *float64
	var attempt *int
	_, err = pgx.ForEachRow(rows, []any{&seconds, &attempt}, func() error {
		if seconds == nil {
			w.none++
			all = append(all, riderWaits)
			return nil
		}

		if *attempt > 1 {
			w.again++
		}
		all = append(all, time.Duration(*seconds*float64(time.Second)))
		return nil
	})
	if err != nil {
		return w, err
	}
	if len(all) == 0 || len(all) != len(rides) {
		return w, fmt.Errorf("%d rides were booked, and Postgres has %d of them", len(rides), len(all))
	}

	slices.Sort(all)
	w.rides, w.p50, w.p99 = len(all), quantile(all, 0.5), quantile(all, 0.99)
	return w, nil
}

// quantile is the smallest of the sorted values that at least the share q of them do
// not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}

func latencyTable(rates []atRate) string {
	var b strings.Builder
	b.WriteString("| rides/s | rides | p50, ms | p99, ms | no free driver at first | no offer within " + fmt.Sprint(riderWaits) + " | no 201 |\n|--:|--:|--:|--:|--:|--:|--:|\n")
	highest := "none of these rates"
	for _, a := range rates {
		if a.kept() {
			highest = fmt.Sprintf("%.3g rides/s", a.perSecond)
		}
		fmt.Fprintf(&b, "| %.3g | %d | %s | **%s** | %d | %d | %d |\n", a.perSecond, a.sum(func(w waits) int { return w.rides }),
			spread(a.each(func(w waits) float64 { return float64(w.p50.Milliseconds()) }), "%.0f"), spread(a.each(p99), "%.0f"),
			a.sum(func(w waits) int { return w.again }), a.sum(func(w waits) int { return w.none }), a.sum(func(w waits) int { return w.refused }))
	}
	fmt.Fprintf(&b, "\nThe highest of these rates at which p99 stays under %v: **%s**.\n", slowest, highest)
	return b.String()
}
