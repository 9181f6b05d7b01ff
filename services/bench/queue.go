package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// subject is one side of a comparison. rate does the work once and returns how much
// of it was done in a second, or what else the row's unit says.
type subject struct {
	name string
	rate func(ctx context.Context, c clients) (perSecond float64, err error)
}

// row compares what is ours with a peer that does the same work.
type row struct {
	name, unit string
	ours, peer subject
	aim        float64 // the least ratio; 0: none
	less       bool    // the aim is the largest ratio: what is measured is better small
	once       bool    // it takes long, and one run says enough
}

// consumers are the rows of receiving, handling and deleting. far rows are those whose
// calls take 10 ms longer, as AWS's do.
func consumers() []row {
	const near, far = 0, 10 * time.Millisecond
	type of struct {
		name string
		run  consumer
	}
	ours := func(inFlight int) of { return of{fmt.Sprintf("sqsworker, %d in flight", inFlight), worker(inFlight)} }
	mill := func(subscriptions, batch int) of {
		return of{fmt.Sprintf("Watermill, %d × %d", subscriptions, batch), watermill(subscriptions, batch)}
	}
	loop := of{"batch loop", batchLoop}
	// What the calls alone cost: as many loops as keep both processors busy.
	calls := of{"four batch loops", batchLoops(4)}

	compare := func(n int64, longer time.Duration, ours, peer of, aim float64) row {
		if longer > 0 {
			peer.name += fmt.Sprintf(", both at %v a call", longer)
		}
		return row{
			name: "receive, handle, delete", unit: "messages/s", aim: aim,
			ours: subject{ours.name, consume(n, longer, ours.run)}, peer: subject{peer.name, consume(n, longer, peer.run)},
		}
	}
	return []row{
		compare(3_000, near, ours(50), loop, 1),
		compare(3_000, near, ours(5), loop, 0.4),
		compare(3_000, near, ours(50), calls, 0),
		compare(3_000, near, ours(50), mill(10, 5), 5),
		compare(3_000, near, ours(50), mill(5, 10), 5),
		compare(3_000, near, ours(5), mill(1, 5), 2),
		compare(3_000, near, ours(5), mill(5, 1), 2),
		compare(600, far, ours(50), loop, 1),
		compare(200, far, ours(5), loop, 0.4),
		compare(600, far, ours(50), mill(50, 1), 0),
		compare(200, far, ours(5), mill(5, 1), 0),
	}
}

func queueRows() []row { return slices.Concat(consumers(), relays()) }

// result is what the runs of one row measured.
type result struct {
	row
	oursRates, peerRates, ratios []float64
}

func (r result) missed() bool {
	if r.less {
		return median(r.ratios) > r.aim
	}
	return median(r.ratios) < r.aim
}

// runQueue measures the queue's rows.
func runQueue(ctx context.Context, runs int, only, docs string) error {
	rows, err := containing(only, queueRows())
	if err != nil {
		return err
	}

	c, stop, err := start(ctx, "unlimited")
	if err != nil {
		return err
	}
	defer func() { _ = stop() }()
	db, stopDatabase, err := startDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stopDatabase() }()
	c.db = db

	return report(ctx, c, "queue", rows, runs, only, docs)
}

// containing returns the rows whose names contain only.
func containing(only string, rows []row) ([]row, error) {
	rows = slices.DeleteFunc(rows, func(r row) bool { return !strings.Contains(r.name+": "+r.ours.name+" ÷ "+r.peer.name, only) })
	if len(rows) == 0 {
		return nil, fmt.Errorf("no row contains %q", only)
	}
	return rows, nil
}

// report measures the rows, prints them, and writes them to the section of the documents
// in docs unless that is empty. Only some of them are not written: a table is of one run.
func report(ctx context.Context, c clients, section string, rows []row, runs int, only, docs string) error {
	var results []result
	for _, r := range rows {
		res, err := measure(ctx, c, r, runs)
		if err != nil {
			return err
		}
		results = append(results, res)
		fmt.Fprintf(os.Stderr, "%s: %s ÷ %s: %s\n", r.name, r.ours.name, r.peer.name, spread(res.ratios, "%.2f"))
	}

	m := machine()
	fmt.Printf("%s; %s\n\n%s", m, counted(runs), table(results))
	if docs != "" && only == "" {
		if err := writeReport(docs, section, m, runs, results); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(results, result.missed) {
		return errors.New("an aim was missed")
	}
	return nil
}

// measure runs the two sides of a row in turn, so that a machine that gets slower
// slows both.
func measure(ctx context.Context, c clients, r row, runs int) (result, error) {
	res := result{row: r}
	if r.once {
		runs = 1
	}
	for range runs {
		ours, err := r.ours.rate(ctx, c)
		if err != nil {
			return res, fmt.Errorf("%s: %w", r.ours.name, err)
		}
		peer, err := r.peer.rate(ctx, c)
		if err != nil {
			return res, fmt.Errorf("%s: %w", r.peer.name, err)
		}
		res.oursRates, res.peerRates, res.ratios = append(res.oursRates, ours), append(res.peerRates, peer), append(res.ratios, ours/peer)
	}
	return res, nil
}
