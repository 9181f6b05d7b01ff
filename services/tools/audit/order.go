package audit

import (
	"cmp"
	"fmt"
	"slices"
)

// order: on the stream and in history, each driver's points lie in the order in
// which location took them. That they rise, only their driver can promise.
func (a *auditor) order(c *comparison) Check {
	f := newFinding(5, "order")
	overtaken := c.notRising - c.sentSo
	f.count("not_rising", overtaken)
	f.count("sent_not_rising", c.sentSo)
	if overtaken > 0 {
		f.broken("history has %d points that came after a higher sequence of their driver, and were not sent so", overtaken)
	}

	if a.view == nil {
		return f.done("every stored point came after all lower ones of its driver%s; the stream was not read", except(c.sentSo))
	}

	for _, s := range a.view.outOfOrder {
		f.broken("out of order on the stream: %s", s)
	}
	f.count("on_stream", a.view.points)
	f.count("out_of_order", int64(len(a.view.outOfOrder)))
	f.count("sent_out_of_order", a.view.sentSo)
	f.count("repeats", a.view.repeats)
	f.count("undecodable", a.view.undecoded)
	return f.done("%d points on the stream rise for each driver, %d of them repeats%s", a.view.points, a.view.repeats, except(a.view.sentSo))
}

// except names what its driver sent out of order.
func except(sentSo int64) string {
	if sentSo == 0 {
		return ""
	}
	return fmt.Sprintf(", except %d that their drivers sent after newer ones", sentSo)
}

// sentSo returns how many of a driver's rows do not rise because the driver sent
// them so: location took them after every row that arrived before them, and one of
// those is newer. Where a stamp is missing, nothing says so.
func sentSo(rows []storedPoint) (n int64) {
	if !slices.ContainsFunc(rows, func(p storedPoint) bool { return p.notRising && p.taken > 0 }) {
		return 0
	}

	// In the order of arrival. Of what arrived in the same millisecond nobody knows
	// which was first: there the order in which it was taken is believed.
	taken := func(p, q storedPoint) int { return cmp.Or(cmp.Compare(p.taken, q.taken), cmp.Compare(p.seq, q.seq)) }
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(p, q storedPoint) int { return cmp.Or(p.arrived.Compare(q.arrived), taken(p, q)) })

	var newest, latest, latestBefore storedPoint // latestBefore: of those that arrived earlier
	for i, p := range rows {
		if i > 0 && p.arrived.After(rows[i-1].arrived) {
			latestBefore = latest
		}
		if p.notRising && newest.seq > p.seq && newest.taken > 0 && taken(latestBefore, p) < 0 {
			n++
		}
		if p.seq > newest.seq {
			newest = p
		}
		if taken(p, latest) > 0 {
			latest = p
		}
	}
	return n
}
