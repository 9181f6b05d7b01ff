package console

import (
	"encoding/json"
	"strings"
)

// place puts what a service says of itself where the overview shows it.
func (o *Overview) place(s Service) {
	switch kindOf(s.Name) {
	case "dispatch":
		o.Workers = append(o.Workers, Worker{Name: s.Name, OK: s.OK, HeardAt: s.HeardAt, PID: s.PID, WorkerCounts: decode[WorkerCounts](s)})
	case "nearby", "mapfeed", "history", "heatmap":
		o.placeReader(s)
	case "booking":
		o.Rides = decode[Rides](s)
	case "location":
		d := decode[locationDetail](s)
		if d == nil {
			return
		}
		for _, shard := range d.Shards {
			shard.HeardAt = s.HeardAt
			o.Shards = append(o.Shards, shard)
		}
	default:
		// A reader that was added: it says itself that it is one.
		if d := decode[readerDetail](s); d != nil && d.Reader != "" {
			o.placeReader(s)
		}
	}
}

func (o *Overview) placeReader(s Service) {
	r := Reader{Reader: s.Name, OK: s.OK, HeardAt: s.HeardAt, ReaderState: decode[ReaderState](s)}
	if r.ReaderState != nil && r.Mode == "" {
		r.Mode = "polling" // points.Group says nothing: it has no other way
	}
	o.Readers = append(o.Readers, r)
}

// readerDetail is what a reader's detail has and no other's.
type readerDetail struct {
	Reader string `json:"reader"`
}

// locationDetail is what the overview has of location's detail.
type locationDetail struct {
	Shards []Shard `json:"shards"`
}

// kindOf returns the service that a process is one of: dispatch of dispatch-1.
func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, "-")
	return kind
}

// decode returns a service's detail, or nil where there is none or it has another
// shape: what a service of another version says is not known.
func decode[T any](s Service) *T {
	var out *T
	if len(s.Detail) > 0 && json.Unmarshal(s.Detail, &out) != nil {
		return nil
	}
	return out
}
