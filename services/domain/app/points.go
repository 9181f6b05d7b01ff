package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tandem/services/internal/problem"
)

// Point is one fix with its sequence number, as POST /v1/points takes it.
type Point struct {
	Seq      int64   `json:"seq"`
	At       int64   `json:"at"`       // ms since 1970 UTC
	Lat      float64 `json:"lat"`      // degrees
	Lon      float64 `json:"lon"`      // degrees
	Speed    float64 `json:"speed"`    // metres per second
	Heading  float64 `json:"heading"`  // degrees clockwise from north, [0, 360)
	Accuracy float64 `json:"accuracy"` // metres
}

// Refused is a point that location would not take, and why.
type Refused struct {
	Seq    int64  `json:"seq"`
	Index  int    `json:"index"`
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// PointsAnswer is what became of a batch. Points up to AcceptedThrough that
// are not refused are durable; the rest may be sent again.
type PointsAnswer struct {
	Status          int           `json:"-"` // HTTP status, 0 where no answer came
	Took            time.Duration `json:"-"`
	Accepted        int           `json:"accepted"`
	AcceptedThrough int64         `json:"accepted_through"`
	Refused         []Refused     `json:"refused"`
}

// MaxBatch is how many points one request may carry.
const MaxBatch = 500

// SendPoints sends one batch once. The error says why not all of it is
// durable; the answer holds what is.
func (s *Session) SendPoints(ctx context.Context, points []Point) (PointsAnswer, error) {
	in := struct {
		DriverID string  `json:"driver_id,omitempty"`
		Points   []Point `json:"points"`
	}{s.driver, points}
	var out PointsAnswer
	began := time.Now()
	status, err := s.once(ctx, call{method: http.MethodPost, path: "/v1/points", in: in, out: &out})
	out.Status, out.Took = status, time.Since(began)
	var p *problem.Error
	if errors.As(err, &p) {
		out.fromProblem(p)
	}
	return out, err
}

// fromProblem reads the members that location adds to its problem documents.
func (a *PointsAnswer) fromProblem(p *problem.Error) {
	if through, ok := p.Extra["accepted_through"].(float64); ok {
		a.AcceptedThrough = int64(through)
	}
	list, _ := p.Extra["refused"].([]any)
	for _, item := range list {
		m, _ := item.(map[string]any)
		seq, _ := m["seq"].(float64)
		index, _ := m["index"].(float64)
		field, _ := m["field"].(string)
		detail, _ := m["detail"].(string)
		a.Refused = append(a.Refused, Refused{Seq: int64(seq), Index: int(index), Field: field, Detail: detail})
	}
}

// LastSeq asks history for the driver's newest sequence; 0 where it has none.
func (s *Session) LastSeq(ctx context.Context) (int64, error) {
	var out struct {
		Seq int64 `json:"seq"`
	}
	_, err := s.do(ctx, call{method: http.MethodGet, path: "/v1/drivers/" + url.PathEscape(s.Subject()) + "/last", out: &out})
	if IsCode(err, problem.NotFound) {
		return 0, nil
	}
	return out.Seq, err
}

// NextSeq is the sequence of a fix: it rises strictly, and is the fix's time
// where it can be.
func NextSeq(last int64, at time.Time) int64 { return max(last+1, at.UnixMilli()) }

// Track is a driver's points that are not durable yet: numbered when they are
// added, sent in order with one batch in the air, kept until they are accepted
// or refused. It is for one goroutine.
type Track struct {
	session *Session
	last    int64
	pending []Point
	limit   int
	// OnAnswer, when set, hears of each batch and its answer: the ledger.
	OnAnswer func(sent []Point, a PointsAnswer)
}

// NewTrack continues after the sequence last. At most limit points wait; the
// oldest that was never sent would be dropped by Add beyond it.
func NewTrack(s *Session, last int64, limit int) *Track {
	return &Track{session: s, last: last, limit: limit}
}

// ErrFull is returned by Add when too many points wait: Tandem has been away
// for long, or the driver is offline.
var ErrFull = errors.New("app: too many points wait to be sent")

// Add numbers a fix and keeps it for the next Flush. The point's Seq is set;
// ErrFull means that the fix was not kept.
func (t *Track) Add(p Point) error {
	if len(t.pending) >= t.limit {
		return ErrFull
	}
	p.Seq = NextSeq(t.last, time.UnixMilli(p.At))
	t.last = p.Seq
	t.pending = append(t.pending, p)
	return nil
}

// Waiting is how many points are not durable yet.
func (t *Track) Waiting() int { return len(t.pending) }

// Flush sends what waits, once. A temporary error leaves the rest for the next
// Flush; points that are refused are dropped, named in the answer.
func (t *Track) Flush(ctx context.Context) error {
	for len(t.pending) > 0 {
		batch := t.pending[:min(len(t.pending), MaxBatch)]
		answer, err := t.session.SendPoints(ctx, batch)
		if t.OnAnswer != nil {
			t.OnAnswer(batch, answer)
		}
		switch {
		case err == nil || answer.Status == http.StatusBadRequest:
			t.drop(batch[len(batch)-1].Seq) // all of it accepted or refused by name
		case answer.AcceptedThrough > 0:
			t.drop(answer.AcceptedThrough)
		}
		if err != nil {
			return fmt.Errorf("send points of %s: %w", t.session.Subject(), err)
		}
	}
	return nil
}

func (t *Track) drop(through int64) {
	n := 0
	for n < len(t.pending) && t.pending[n].Seq <= through {
		n++
	}
	t.pending = append(t.pending[:0:0], t.pending[n:]...)
}
