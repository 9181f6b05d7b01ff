package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// eachDriver calls fn with each driver's rows of history, by sequence.
func (a *auditor) eachDriver(ctx context.Context, fn func(driver string, rows []storedPoint)) error {
	rows, err := a.tx.Query(ctx, `SELECT driver, seq, day = (to_timestamp(seq / 1000) AT TIME ZONE 'UTC')::date, not_rising,
		arrived_at, coalesce(extract(epoch FROM taken_at) * 1000, 0)::bigint FROM history.points ORDER BY driver, day, seq`)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}

	// One driver's rows are in memory at a time: history is larger than that. What it is
	// compared with, the stream's and the ledger's sequences, is there whole.
	var driver, current string
	var p storedPoint
	var of []storedPoint
	_, err = pgx.ForEachRow(rows, []any{&driver, &p.seq, &p.rightDay, &p.notRising, &p.arrived, &p.taken}, func() error {
		if driver != current && len(of) > 0 {
			fn(current, of)
			of = of[:0]
		}
		current = driver
		of = append(of, p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if len(of) > 0 {
		fn(current, of)
	}
	return nil
}

type storedPoint struct {
	seq                 int64
	rightDay, notRising bool
	arrived             time.Time
	taken               int64 // by location; 0: not known
}

// losses are the reasons why a promised point may rightly not be in history.
type losses struct {
	removed map[removedKey]*removed
	erased  map[string]erasure // by driver
	parked  map[string]map[int64]bool
	unread  int64 // parked records that are no point
	gaps    []gap // of history
}

type removedKey struct {
	driver string // empty: all drivers
	day    string
}

type removed struct {
	reason string
	points int64
}

// erasure is a driver's tombstone.
type erasure struct {
	at, seq int64 // ms since 1970, when it was erased; the highest sequence that was
}

// covers reports whether a point had arrived before the erasure, or repeats one that
// had. A promise notes no arrival: a driver whose fixes are of before sent it before.
func (e erasure) covers(p promisedPoint) bool {
	return p.seq <= max(e.seq, e.at) || p.at > 0 && p.at <= e.at
}

func (a *auditor) erasures(ctx context.Context) (map[string]erasure, error) {
	rows, err := a.tx.Query(ctx, `SELECT driver, floor(extract(epoch FROM erased_at) * 1000)::bigint, seq FROM history.erased`)
	if err != nil {
		return nil, fmt.Errorf("history: erased: %w", err)
	}
	out := map[string]erasure{}
	var driver string
	var e erasure
	_, err = pgx.ForEachRow(rows, []any{&driver, &e.at, &e.seq}, func() error {
		out[driver] = e
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("history: erased: %w", err)
	}
	return out, nil
}

func (a *auditor) losses(ctx context.Context) (losses, error) {
	l := losses{removed: map[removedKey]*removed{}}
	rows, err := a.tx.Query(ctx, `SELECT reason, coalesce(driver, ''), day::text, sum(points)::bigint FROM history.removed GROUP BY 1, 2, 3`)
	if err != nil {
		return l, fmt.Errorf("history: removed: %w", err)
	}
	var k removedKey
	var r removed
	_, err = pgx.ForEachRow(rows, []any{&r.reason, &k.driver, &k.day, &r.points}, func() error {
		one := r
		l.removed[k] = &one
		return nil
	})
	if err != nil {
		return l, fmt.Errorf("history: removed: %w", err)
	}

	if l.erased, err = a.erasures(ctx); err != nil {
		return l, err
	}
	if l.parked, l.unread, err = a.parked(ctx, a.history); err != nil {
		return l, err
	}
	gaps, err := a.declaredGaps(ctx)
	l.gaps = slices.DeleteFunc(gaps, func(g gap) bool { return g.Group != a.history.name })
	return l, err
}

// heatmapSum: the heatmap has counted each point of history once.
func (a *auditor) heatmapSum(ctx context.Context, c *comparison) error {
	f := newFinding(4, "heatmap")
	var sum, hours, removed int64
	err := a.tx.QueryRow(ctx, `SELECT (SELECT coalesce(sum(n), 0)::bigint FROM heatmap.cells WHERE generation = $1),
		(SELECT coalesce(sum(n), 0)::bigint FROM heatmap.hours WHERE generation = $1),
		(SELECT coalesce(sum(points - not_rising), 0)::bigint FROM history.removed)`, a.heatmap.generation).Scan(&sum, &hours, &removed)
	if err != nil {
		return fmt.Errorf("heatmap: %w", err)
	}
	gaps, err := a.declaredGaps(ctx)
	if err != nil {
		return err
	}

	parked, _, err := a.parked(ctx, a.heatmap)
	if err != nil {
		return err
	}

	// The heatmap keeps the count of a point that history removed, and counts one that
	// history alone set aside. It has not counted what it set aside itself, nor what did
	// not rise: it knows a driver's newest sequence alone.
	want := c.rows + removed + c.parked - c.notRising
	for _, seqs := range parked {
		want -= int64(len(seqs))
	}
	f.count("sum", sum)
	f.count("rows", c.rows)
	if a.view != nil {
		f.count("only_history_passed", a.view.late)
		f.count("only_heatmap_passed", a.view.early)
		want += a.view.early - a.view.late
	}
	f.count("expected", want)

	// The rows of hours come of those of minutes, in the same transactions.
	if hours != sum {
		f.broken("its hours add up to %d, its minutes to %d", hours, sum)
	}

	switch {
	case a.view == nil && !samePlace(a.history, a.heatmap):
		a.report.add(f.done("not compared: the two readers stand at different places and the stream was not read"))
		return nil
	case len(gaps) > 0 && sum != want:
		a.report.add(f.done("not compared: the readers declared gaps; the heatmap has %d, history and the stream make it %d", sum, want))
		return nil
	case sum != want:
		f.broken("the heatmap's sum is %d, history and the stream make it %d (%+d)", sum, want, sum-want)
	}
	a.report.add(f.done("the heatmap's sum is %d, as history (%d distinct points) and the stream make it", sum, c.rows))
	return nil
}
