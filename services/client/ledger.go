package client

import "time"

// Kinds of Entry.
const (
	KindRide   = "ride"
	KindPoints = "points"
)

// Entry is one line of a ledger (internal/ledger): a request that promises something, and the
// answer that it got. tools/audit checks each promise against what is stored.
//
// It is written after the answer came and flushed each second: of a client that
// is killed the last second's promises are missing, and an audit checks fewer.
type Entry struct {
	At     time.Time    `json:"at"`
	Kind   string       `json:"kind"`
	Ride   *RideEntry   `json:"ride,omitempty"`
	Points *PointsEntry `json:"points,omitempty"`
}

// RideEntry is a booking. Status is the HTTP status, 0 where no answer came.
type RideEntry struct {
	Key    string `json:"key"`
	RideID string `json:"ride_id,omitempty"`
	Rider  string `json:"rider"`
	Status int    `json:"status"`
}

// PointsEntry is a batch of points. A 202 promises every sequence of Seqs that
// is not in Refused; any other status promises those up to AcceptedThrough.
type PointsEntry struct {
	Driver          string  `json:"driver"`
	Seqs            []int64 `json:"seqs"`
	Status          int     `json:"status"`
	AcceptedThrough int64   `json:"accepted_through"`
	Refused         []int64 `json:"refused,omitempty"`
}

// NewPointsEntry returns what the ledger keeps of a batch and its answer.
func NewPointsEntry(driver string, sent []Point, a PointsAnswer) PointsEntry {
	p := PointsEntry{Driver: driver, Status: a.Status, AcceptedThrough: a.AcceptedThrough}

	for _, pt := range sent {
		p.Seqs = append(p.Seqs, pt.Seq)
	}
	for _, r := range a.Refused {
		p.Refused = append(p.Refused, r.Seq)
	}
	return p
}

// Promised returns the sequences that the answer made durable.
func (p PointsEntry) Promised() []int64 {
	refused := make(map[int64]bool, len(p.Refused))
	for _, s := range p.Refused {
		refused[s] = true
	}

	var out []int64
	for _, s := range p.Seqs {
		if s <= p.AcceptedThrough && !refused[s] {
			out = append(out, s)
		}
	}
	return out
}
