package audit

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"tandem/services/client"
	"tandem/services/internal/ledger"
)

// promises is what the ledger says that clients were told.
type promises struct {
	rides     map[string]client.RideEntry // by ride id: answered 201
	keys      map[bookingKey]string       // the first ride that a key returned
	conflicts []string                    // keys that returned another ride later
	points    map[string][]promisedPoint  // by driver, by sequence, each once
	pointsN   int64
}

type bookingKey struct{ rider, key string }

// promisedPoint is a sequence and when it was first promised, ms since 1970.
type promisedPoint struct{ seq, at int64 }

// readPromises reads the rides that were promised until rides, and the points
// until points: what was promised later is the next audit's.
func readPromises(path string, rides, points time.Time) (*promises, error) {
	p := &promises{rides: map[string]client.RideEntry{}, keys: map[bookingKey]string{}, points: map[string][]promisedPoint{}}
	err := ledger.ReadAll(path, func(e client.Entry) error {
		switch {
		case e.Ride != nil && !e.At.After(rides):
			p.addRide(*e.Ride)
		case e.Points != nil && !e.At.After(points):
			for _, seq := range e.Points.Promised() {
				p.points[e.Points.Driver] = append(p.points[e.Points.Driver], promisedPoint{seq, e.At.UnixMilli()})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}

	// A point that was sent again may have been promised twice: it counts once, from
	// its first promise on.
	for driver, points := range p.points {
		slices.SortFunc(points, func(a, b promisedPoint) int {
			return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.at, b.at))
		})
		points = slices.CompactFunc(points, func(a, b promisedPoint) bool { return a.seq == b.seq })
		p.points[driver] = points
		p.pointsN += int64(len(points))
	}
	return p, nil
}

func (p *promises) addRide(r client.RideEntry) {
	if r.Status != http.StatusCreated {
		return
	}

	k := bookingKey{r.Rider, r.Key}
	if first, ok := p.keys[k]; ok && first != r.RideID {
		p.conflicts = append(p.conflicts, "key "+r.Key+" of "+r.Rider+" returned ride "+first+" and ride "+r.RideID)
		return
	}
	p.keys[k] = r.RideID
	p.rides[r.RideID] = r
}
