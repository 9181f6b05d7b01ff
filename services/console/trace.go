package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"tandem/services/domain/points"
	"tandem/services/internal/httpclient"
)

// StreamTrace is the answer of GET /v1/rides/{id}/stream: the driver's newest point
// that every reader has seen, and when each had it.
type StreamTrace struct {
	At             int64         `json:"at"`           // when this was answered, ms since 1970 UTC: a point's age is by this clock
	Point          *TracePoint   `json:"driver_point"` // null before the driver's first point
	Readers        []TraceReader `json:"readers"`
	RetentionLeftS int64         `json:"retention_left_s"` // how long the stream still keeps it
	Points         []RidePoint   `json:"points"`           // of the ride, after the one that was asked for; null: history does not answer
	Backend
}

// RidePoint is one of the points that the driver has sent since the accept, until the
// ride ended.
type RidePoint struct {
	Seq int64   `json:"seq"`
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// TracePoint is where the point lies on the stream.
type TracePoint struct {
	DriverID       string `json:"driver_id"`
	Seq            int64  `json:"seq"`
	Shard          string `json:"shard"`
	SequenceNumber string `json:"sequence_number"`
	ArrivedAt      int64  `json:"arrived_at"` // ms since 1970 UTC
}

// TraceReader is when one reader had applied the point.
type TraceReader struct {
	Reader    string `json:"reader"`
	AppliedAt int64  `json:"applied_at"` // ms since 1970 UTC
	AfterMS   int64  `json:"after_ms"`   // since it arrived on the stream
}

// traceWithin is how long a reader may take: one that is frozen must not keep the
// others' answers.
const traceWithin = 800 * time.Millisecond

// askReaders returns what each reader has lately seen of a driver. A reader that
// does not answer is left out.
func (s *service) askReaders(ctx context.Context, driver string) map[string][]points.Seen {
	ctx, cancel := context.WithTimeout(ctx, traceWithin)
	defer cancel()

	var mu sync.Mutex
	var wg sync.WaitGroup
	out := map[string][]points.Seen{}
	for _, p := range s.gather.peers {
		if !slices.Contains(tracedReaders(), p.Name) {
			continue
		}
		wg.Go(func() {
			var answer points.SeenAnswer
			request := httpclient.Request{Method: http.MethodGet, Path: "/v1/seen?driver=" + url.QueryEscape(driver), Out: &answer}
			if _, err := p.client.Once(ctx, request); err != nil {
				return
			}

			mu.Lock()
			defer mu.Unlock()
			out[p.Name] = answer.Seen
		})
	}

	wg.Wait()
	return out
}

// ridePoints returns the points of the ride that history has, from the one after a
// sequence on, or nil if history does not answer. One answer has not all of a long
// ride: its last sequence is where to go on.
func (s *service) ridePoints(ctx context.Context, ride rideOf, after int64) []RidePoint {
	ctx, cancel := context.WithTimeout(ctx, traceWithin)
	defer cancel()

	from := time.UnixMilli(max(after+1, ride.AssignedAt.UnixMilli()))
	query := url.Values{"from": {strconv.FormatInt(from.UnixMilli(), 10)}}
	if ride.EndedAt != nil {
		if !from.Before(*ride.EndedAt) {
			return []RidePoint{}
		}
		query.Set("to", strconv.FormatInt(ride.EndedAt.UnixMilli(), 10)) // what the driver does afterwards is not the rider's
	}

	for _, p := range s.gather.peers {
		if p.Name != "history" {
			continue
		}
		var answer struct {
			Points []RidePoint `json:"points"`
		}
		request := httpclient.Request{Method: http.MethodGet, Path: "/v1/drivers/" + url.PathEscape(ride.DriverID) + "/points?" + query.Encode(), Out: &answer}
		if _, err := p.client.Once(ctx, request); err == nil {
			return append([]RidePoint{}, answer.Points...)
		}
	}
	return nil
}

// tracedReaders are the readers that answer GET /v1/seen, in the order in which
// they are shown.
func tracedReaders() []string { return []string{"mapfeed", "history", "heatmap", "nearby"} }

// newestEverywhere returns the trace of the newest point that most readers have
// seen. That is all of them, unless one is so far behind that it has none of the
// others' last points.
func newestEverywhere(driver string, byReader map[string][]points.Seen) StreamTrace {
	readersOf := map[int64]int{}
	for _, seen := range byReader {
		for _, p := range seen {
			readersOf[p.Seq]++
		}
	}

	best, most := int64(0), 0
	for seq, n := range readersOf {
		if n > most || n == most && seq > best {
			best, most = seq, n
		}
	}

	trace := StreamTrace{Readers: []TraceReader{}}
	for _, name := range tracedReaders() {
		for _, p := range byReader[name] {
			if p.Seq != best {
				continue
			}

			// Not below 0 where two machines' clocks disagree.
			after := max(0, p.AppliedAt-p.ArrivedAt)
			trace.Point = &TracePoint{DriverID: driver, Seq: p.Seq, Shard: p.Shard, SequenceNumber: p.SequenceNumber, ArrivedAt: p.ArrivedAt}
			trace.Readers = append(trace.Readers, TraceReader{Reader: name, AppliedAt: p.AppliedAt, AfterMS: after})
		}
	}

	return trace
}
