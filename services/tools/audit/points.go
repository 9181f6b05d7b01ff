package audit

import (
	"context"
	"slices"
	"time"
)

// points compares history, row by row, with what was promised and with what is on
// the stream, and the heatmap's sum with history.
func (a *auditor) points(ctx context.Context) error {
	l, err := a.losses(ctx)
	if err != nil {
		return err
	}

	c := &comparison{a: a, losses: l, promised: newFinding(4, "points"), checkpoints: newFinding(6, "checkpoints")}
	if err := a.eachDriver(ctx, c.driver); err != nil {
		return err
	}
	c.driversWithoutRows()

	a.report.add(c.pointsCheck(), c.checkpointsCheck(), a.order(c))
	return a.heatmapSum(ctx, c)
}

// putTime is how long a point may have been on its way: between its arrival on
// the stream and the client's note of the answer.
const putTime = 30 * time.Second

// why returns why a promised point is not in history: "lost" where nothing
// explains it.
func (l *losses) why(driver string, p promisedPoint) string {
	if l.parked[driver][p.seq] {
		return "parked"
	}
	if e, ok := l.erased[driver]; ok && e.covers(p) {
		return "erased"
	}

	// What was removed is known by count, not by sequence: each removal explains as
	// many missing points as it removed, and no more.
	day := time.UnixMilli(p.seq).UTC().Format(time.DateOnly)
	for _, k := range []removedKey{{driver, day}, {"", day}} {
		if r := l.removed[k]; r != nil && r.points > 0 {
			r.points--
			return r.reason
		}
	}

	at := time.UnixMilli(p.at)
	for _, g := range l.gaps {
		if at.After(g.From) && at.Before(g.To.Add(putTime)) {
			return "in_gap"
		}
	}
	return "lost"
}

// comparison goes through history driver by driver.
type comparison struct {
	a                     *auditor
	losses                losses
	promised, checkpoints *finding
	rows, notRising       int64
	parked                int64 // points that history set aside and has not stored
	sentSo                int64 // of those that do not rise: sent so by their driver
	seen                  map[string]bool
}

func (c *comparison) driver(driver string, rows []storedPoint) {
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[driver] = true

	have := make([]int64, len(rows))
	for i, r := range rows {
		have[i] = r.seq
		if r.notRising {
			c.notRising++
		}
		if !r.rightDay {
			c.promised.count("duplicated", 1)
			c.promised.broken("point %s %d lies in another day's partition, where its key does not keep it single", driver, r.seq)
		}
	}

	for seq := range c.losses.parked[driver] {
		if _, ok := slices.BinarySearch(have, seq); !ok {
			c.parked++
		}
	}
	c.rows += int64(len(rows))
	c.sentSo += sentSo(rows)
	c.compare(driver, have)
}

// driversWithoutRows compares drivers of whom history has nothing.
func (c *comparison) driversWithoutRows() {
	for driver := range c.a.promised.points {
		if !c.seen[driver] {
			c.compare(driver, nil)
		}
	}
	for driver, seqs := range c.losses.parked {
		if !c.seen[driver] {
			c.parked += int64(len(seqs))
		}
	}

	if c.a.view == nil {
		return
	}
	for driver := range c.a.view.risen {
		if _, done := c.a.promised.points[driver]; !done && !c.seen[driver] {
			c.compare(driver, nil)
		}
	}
}

// compare compares one driver's stored sequences, ascending, with what history
// owes: what was promised, and what lies on the stream before its checkpoint.
func (c *comparison) compare(driver string, have []int64) {
	why := map[int64]string{} // each missing point is explained once
	missing := func(p promisedPoint) (string, bool) {
		if _, ok := slices.BinarySearch(have, p.seq); ok {
			return "stored", false
		}
		if _, ok := why[p.seq]; !ok {
			why[p.seq] = c.losses.why(driver, p)
		}
		return why[p.seq], why[p.seq] == "lost"
	}

	for _, p := range c.a.promised.points[driver] {
		c.promised.count("accepted", 1)
		reason, lost := missing(p)
		c.promised.count(reason, 1)
		if lost {
			c.promised.broken("point %s %d was promised at %s and is not in history", driver, p.seq, text(time.UnixMilli(p.at)))
		}
	}

	if c.a.view == nil {
		return
	}
	for _, p := range c.a.view.risen[driver] {
		if !p.owed() {
			continue
		}
		c.checkpoints.count("vouched", 1)
		if _, lost := missing(promisedPoint{seq: p.seq()}); lost {
			c.checkpoints.count("missing", 1)
			c.checkpoints.broken("point %s %d lies on the stream before history's checkpoint and is not in history", driver, p.seq())
		}
	}
}

func (c *comparison) pointsCheck() Check {
	f := c.promised
	f.count("rows", c.rows)
	for _, n := range []string{"accepted", "stored", "lost", "duplicated", "parked", "in_gap", "erased", "expired"} {
		f.count(n, 0)
	}
	f.count("parked_unreadable", c.losses.unread)

	n := f.check.Counts
	return f.done("%d points promised = %d stored + %d erased + %d expired + %d parked + %d in declared gaps; history has %d, each once",
		n["accepted"], n["stored"], n["erased"], n["expired"], n["parked"], n["in_gap"], c.rows)
}

func (c *comparison) checkpointsCheck() Check {
	f := c.checkpoints
	if c.a.view == nil {
		return f.done("the stream was not read")
	}
	return f.done("%d points on the stream lie before history's checkpoints, and all are in history", f.check.Counts["vouched"])
}

func samePlace(a, b group) bool {
	x, y := a.positions(), b.positions()
	if len(x) != len(y) {
		return false
	}
	for shard, p := range x {
		if p.Compare(y[shard]) != 0 {
			return false
		}
	}
	return true
}
