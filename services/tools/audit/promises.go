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
	keep      time.Duration               // a ride may be removed so long after its end
	rides     map[string]promisedRide     // by ride id: answered 201
	keys      map[bookingKey]promisedRide // the first ride that a key returned
	conflicts []string                    // keys that returned another ride later
	points    map[string][]promisedPoint  // by driver, by sequence, each once
	pointsN   int64
}

type bookingKey struct{ rider, key string }

type promisedRide struct {
	client.RideEntry
	at time.Time
}

// mayBeRemoved reports whether a ride may be gone at now because of its age: it ended
// after it was promised. Where the ledger has no time, it may not.
func (r promisedRide) mayBeRemoved(now time.Time, keep time.Duration) bool {
	return !r.at.IsZero() && now.Sub(r.at) > keep
}

// promisedPoint is a sequence and when it was first promised, ms since 1970.
type promisedPoint struct{ seq, at int64 }

// readPromises reads the rides that were promised until rides, and the points
// until points: what was promised later is the next audit's.
func readPromises(path string, rides, points time.Time, keep time.Duration) (*promises, error) {
	p := &promises{keep: keep, rides: map[string]promisedRide{}, keys: map[bookingKey]promisedRide{}, points: map[string][]promisedPoint{}}
	err := ledger.ReadAll(path, func(e client.Entry) error {
		switch {
		case e.Ride != nil && !e.At.After(rides):
			p.addRide(promisedRide{*e.Ride, e.At})
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

func (p *promises) addRide(r promisedRide) {
	if r.Status != http.StatusCreated {
		return
	}

	k := bookingKey{r.Rider, r.Key}
	if first, ok := p.keys[k]; ok && first.RideID != r.RideID && !first.mayBeRemoved(r.at, p.keep) {
		p.conflicts = append(p.conflicts, "key "+r.Key+" of "+r.Rider+" returned ride "+first.RideID+" and ride "+r.RideID)
		return
	}
	p.keys[k] = r
	p.rides[r.RideID] = r
}
