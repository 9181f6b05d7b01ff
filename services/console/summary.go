package console

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
)

const (
	// summaryFor is how long one summary is everybody's: anybody may ask, and many do.
	summaryFor = time.Second
	// deletedFor is how far back a summary has deletes; workers remember as long.
	deletedFor = 30 * time.Second
	// rateOver is the time over which points are counted for a rate.
	rateOver = 4 * time.Second
)

// Summary is the answer of GET /v1/summary: what queue and stream do now, for anybody.
// So it has counts and processes, and no ride, no person, no place and nobody's words.
// What is not known is null, not 0.
type Summary struct {
	At         time.Time `json:"at"`          // when this was answered
	GatheredAt time.Time `json:"gathered_at"` // a moment before, for all who ask

	Endpoint string `json:"endpoint,omitempty"` // where AWS's tools find the same; missing: AWS itself
	Region   string `json:"region"`

	Queue   SummaryQueue    `json:"queue"`
	Workers []SummaryWorker `json:"workers"`
	// DeletedMSAgo are the ages of the messages' deletes in the last 30 s, at
	// GatheredAt, the newest first.
	DeletedMSAgo []int64       `json:"deleted_ms_ago"`
	Rides        *SummaryRides `json:"rides"`
	Stream       SummaryStream `json:"stream"`
}

// SummaryQueue is the queue of the ride requests.
type SummaryQueue struct {
	HeardAt  *time.Time `json:"heard_at"`
	Waiting  *int       `json:"waiting"`
	InFlight *int       `json:"in_flight"`
}

// SummaryWorker is one process that takes messages from it.
type SummaryWorker struct {
	Name    string     `json:"name"`
	HeardAt *time.Time `json:"heard_at"`
	PID     *int       `json:"pid"`
	Held    *int       `json:"held"`     // messages in its hands
	MayHold *int       `json:"may_hold"` // at most
}

// SummaryRides is how many rides are booked.
type SummaryRides struct {
	At        *time.Time `json:"at"` // when they were counted
	PerMinute float64    `json:"per_minute"`
}

// SummaryStream is the stream of the drivers' points.
type SummaryStream struct {
	points.Arrivals                 // of no shard: nobody has said
	PointsPerSecond *float64        `json:"points_per_s"`
	RetentionHours  *int            `json:"retention_h"` // how long it keeps a point: its own setting
	Readers         []SummaryReader `json:"readers"`
}

// SummaryReader is a reader; of several processes the worst.
type SummaryReader struct {
	Reader  string     `json:"reader"`
	HeardAt *time.Time `json:"heard_at"`
	// BehindMS is how far it is behind now, and at least how long a point usually
	// takes to it (the median of the last minutes): one that polls is at the tip
	// for a moment, and between two polls it is not.
	BehindMS *int64 `json:"behind_ms"`
}

// summaries makes one summary a second, whoever asks. It is safe for concurrent use.
type summaries struct {
	gather  *gatherer
	retains *retention

	mu      sync.Mutex // held while one is made: askers share it
	last    Summary
	deletes deletes
}

func newSummaries(g *gatherer, r *retention) *summaries {
	return &summaries{gather: g, retains: r, deletes: deletes{}}
}

// now returns what was gathered at most summaryFor ago.
func (s *summaries) now(ctx context.Context) Summary {
	s.mu.Lock()
	defer s.mu.Unlock()

	if now := s.gather.now(); now.Sub(s.last.GatheredAt) >= summaryFor {
		s.last = s.summary(ctx)
	}

	out := s.last
	out.At = s.gather.now().UTC()
	return out
}

func (s *summaries) summary(ctx context.Context) Summary {
	o := s.gather.overview(ctx)
	// After the overview, so that what arrives is of now.
	arrivals := s.gather.arrivals(ctx)
	hours := s.retains.hours(ctx)

	now := s.gather.now()
	out := Summary{GatheredAt: now.UTC(), Workers: []SummaryWorker{}, DeletedMSAgo: s.deletes.ages(o.Workers, now)}
	for _, q := range o.Queues {
		if q.Name == event.QueueRideRequests && q.QueueCounts != nil {
			out.Queue = SummaryQueue{HeardAt: q.HeardAt, Waiting: &q.Visible, InFlight: &q.InFlight}
		}
	}
	for _, w := range o.Workers {
		out.Workers = append(out.Workers, publicWorker(w))
	}
	if o.Rides != nil {
		out.Rides = &SummaryRides{At: o.Rides.At, PerMinute: o.Rides.PerMinute}
	}

	rate := perSecond(arrivals)
	if rate == nil {
		arrivals.Drivers = nil // of a shard that is not read, they are missing
	}
	out.Stream = SummaryStream{Arrivals: arrivals, PointsPerSecond: rate, RetentionHours: hours, Readers: publicReaders(o.Readers)}
	return out
}

func publicWorker(w Worker) SummaryWorker {
	out := SummaryWorker{Name: w.Name, HeardAt: w.HeardAt}
	if w.WorkerCounts == nil {
		return out
	}

	out.Held = &w.Handling
	if w.PID > 0 {
		out.PID = &w.PID
	}
	if w.MayHold > 0 {
		out.MayHold = &w.MayHold
	}
	return out
}

// publicReaders returns one entry for each reader: a reader is as far behind as the
// process of it that is furthest, and heard of as long ago as the one that is silent
// for longest.
func publicReaders(all []Reader) []SummaryReader {
	out := []SummaryReader{}
	for _, r := range all {
		one := SummaryReader{Reader: kindOf(r.Reader), HeardAt: r.HeardAt, BehindMS: usuallyBehind(r)}
		i := slices.IndexFunc(out, func(s SummaryReader) bool { return s.Reader == one.Reader })
		if i < 0 {
			out = append(out, one)
			continue
		}

		switch was := &out[i]; {
		case was.HeardAt == nil || was.BehindMS == nil: // not known stays so
		case one.HeardAt == nil || one.BehindMS == nil:
			*was = one
		default:
			if one.HeardAt.Before(*was.HeardAt) {
				was.HeardAt = one.HeardAt
			}
			if *one.BehindMS > *was.BehindMS {
				was.BehindMS = one.BehindMS
			}
		}
	}

	slices.SortFunc(out, func(a, b SummaryReader) int { return strings.Compare(a.Reader, b.Reader) })
	return out
}

func usuallyBehind(r Reader) *int64 {
	if r.BehindMS == nil || r.ReaderState == nil || r.Latency == nil {
		return r.BehindMS
	}
	ms := max(*r.BehindMS, int64(r.Latency.P50))
	return &ms
}

// perSecond returns how many points arrive in a second, over all shards, in the last
// rateOver up to the newest point that was read. It is nil where that is not known:
// an idle shard says each 5 s that it has nothing, and one that says nothing for
// longer may have much.
func perSecond(a points.Arrivals) *float64 {
	var through int64
	for _, s := range a.Shards {
		if a.End-s.Through > points.ArrivalsFor.Milliseconds() {
			return nil
		}
		through = max(through, s.Through)
	}

	// Whole bins alone: the one that is being filled would make the rate too low.
	number := rateOver.Milliseconds() / a.BinMS
	notYet := (a.End - through + a.BinMS - 1) / a.BinMS
	if through == 0 || number+notYet > int64(len(a.Shards[0].Bins)) {
		return nil
	}

	n := 0
	for _, s := range a.Shards {
		last := int64(len(s.Bins)) - notYet
		for _, points := range s.Bins[last-number : last] {
			n += points
		}
	}
	rate := float64(n) / rateOver.Seconds()
	return &rate
}

// deletes remembers what each worker's process said of its last deletes: one that
// ends takes its own memory along, and what it deleted stays deleted.
type deletes map[deleter][]int64

type deleter struct {
	name string
	pid  int
}

// ages returns how long ago each delete was, the newest first; nil where no worker
// has ever been heard of.
func (d deletes) ages(workers []Worker, now time.Time) []int64 {
	for _, w := range workers {
		if w.WorkerCounts != nil && w.DeletedAt != nil {
			d[deleter{w.Name, w.PID}] = w.DeletedAt
		}
	}
	if len(d) == 0 {
		return nil
	}

	heard := func(name string, pid int) bool {
		return slices.ContainsFunc(workers, func(w Worker) bool { return w.Name == name && w.PID == pid })
	}
	out := []int64{}
	for who, at := range d {
		young := 0
		for _, ms := range at {
			if age := now.UnixMilli() - ms; age <= deletedFor.Milliseconds() {
				out = append(out, max(0, age))
				young++
			}
		}
		if young == 0 && !heard(who.name, who.pid) {
			delete(d, who)
		}
	}
	slices.Sort(out)
	return out
}
