package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// StreamTrace is the answer of GET /v1/rides/{id}/stream: the driver's newest point
// that every reader has seen, and when each had it.
type StreamTrace struct {
	Point          *TracePoint   `json:"driver_point"` // null before the driver's first point
	Readers        []TraceReader `json:"readers"`
	RetentionLeftS int64         `json:"retention_left_s"` // how long the stream still keeps it
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

type seen struct {
	Seq            int64  `json:"seq"`
	Shard          string `json:"shard"`
	SequenceNumber string `json:"sequence_number"`
	ArrivedAt      int64  `json:"arrived_at"`
	AppliedAt      int64  `json:"applied_at"`
}

// rideStream answers for a ride that the asker may see: booking decides that.
func (s *service) rideStream(c *gin.Context) error {
	ctx := c.Request.Context()
	id := httpserver.Identity(c)
	var ride struct {
		RiderID  string `json:"rider_id"`
		DriverID string `json:"driver_id"`
	}
	if err := s.booking.Get(ctx, "/v1/rides/"+url.PathEscape(c.Param("id")), &ride); err != nil {
		return err
	}
	if id.Role == auth.Rider && ride.RiderID != id.Subject || id.Role == auth.Driver && ride.DriverID != id.Subject {
		return problem.New(problem.NotFound, "There is no ride %s of yours.", c.Param("id"))
	}
	trace := StreamTrace{Readers: []TraceReader{}}
	if ride.DriverID != "" {
		trace = newestEverywhere(ride.DriverID, s.askReaders(ctx, ride.DriverID))
		if trace.Point != nil {
			left := s.cfg.StreamRetention - time.Since(time.UnixMilli(trace.Point.ArrivedAt))
			trace.RetentionLeftS = max(0, int64(left.Seconds()))
		}
	}
	c.JSON(http.StatusOK, trace)
	return nil
}

// askReaders gives what each reader has lately seen of a driver; a reader that
// does not answer is left out.
func (s *service) askReaders(ctx context.Context, driver string) map[string][]seen {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	out := map[string][]seen{}
	for _, p := range s.gather.peers {
		if !slices.Contains(tracedReaders(), p.Name) {
			continue
		}
		wg.Go(func() {
			var answer struct {
				Seen []seen `json:"seen"`
			}
			if _, err := p.client.Once(ctx, httpclient.Request{Method: http.MethodGet, Path: "/v1/seen?driver=" + url.QueryEscape(driver), Out: &answer}); err != nil {
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

func tracedReaders() []string { return []string{"mapfeed", "history", "heatmap", "nearby"} }

// newestEverywhere finds the newest point that most readers have seen: all of
// them where they overlap.
func newestEverywhere(driver string, byReader map[string][]seen) StreamTrace {
	readersOf := map[int64]int{}
	for _, points := range byReader {
		for _, p := range points {
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
			trace.Point = &TracePoint{DriverID: driver, Seq: p.Seq, Shard: p.Shard, SequenceNumber: p.SequenceNumber, ArrivedAt: p.ArrivedAt}
			trace.Readers = append(trace.Readers, TraceReader{Reader: name, AppliedAt: p.AppliedAt, AfterMS: max(0, p.AppliedAt-p.ArrivedAt)})
		}
	}
	return trace
}
