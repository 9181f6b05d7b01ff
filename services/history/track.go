package history

import (
	"math"
	"time"
)

// track is a GeoJSON Feature (RFC 7946): where a driver was, and when.
type track struct {
	Type       string          `json:"type"`
	Geometry   *geometry       `json:"geometry"` // null: there is no point
	Properties trackProperties `json:"properties"`
	Next       int64           `json:"next,omitempty"` // the from to go on with; left out: there is no more
}

// geometry is a LineString, or a Point where there is one position alone. Positions
// are longitude, latitude.
type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

type trackProperties struct {
	Driver string  `json:"driver_id,omitempty"`
	Points int     `json:"points"` // that were stored of the span, before it was simplified
	Times  []int64 `json:"times"`  // of each position: the fix, ms since 1970
}

// trackOf returns the track of points in order, simplified to within metres.
func trackOf(driver string, points []point, metres float64) track {
	t := track{Type: "Feature", Properties: trackProperties{Driver: driver, Points: len(points), Times: []int64{}}}
	positions := [][2]float64{}
	for _, p := range simplify(points, metres) {
		positions = append(positions, [2]float64{p.Lon, p.Lat})
		t.Properties.Times = append(t.Properties.Times, time.Time(p.At).UnixMilli())
	}

	switch len(positions) {
	case 0:
	case 1:
		t.Geometry = &geometry{"Point", positions[0]}
	default:
		t.Geometry = &geometry{"LineString", positions}
	}
	return t
}

// simplify leaves out points, but none that lies further than metres from the line
// between those that are kept around it (Douglas and Peucker). The first and the last
// stay, so that pages join.
func simplify(points []point, metres float64) []point {
	if metres <= 0 || len(points) < 3 {
		return points
	}

	keep := make([]bool, len(points))
	keep[0], keep[len(points)-1] = true, true
	// A stack and not recursion: a long track of many turns would go deep.
	for todo := [][2]int{{0, len(points) - 1}}; len(todo) > 0; {
		from, to := todo[len(todo)-1][0], todo[len(todo)-1][1]
		todo = todo[:len(todo)-1]

		furthest, most := 0, metres
		for i := from + 1; i < to; i++ {
			if d := offLine(points[i], points[from], points[to]); d > most {
				furthest, most = i, d
			}
		}
		if furthest > 0 {
			keep[furthest] = true
			todo = append(todo, [2]int{from, furthest}, [2]int{furthest, to})
		}
	}

	var out []point
	for i, p := range points {
		if keep[i] {
			out = append(out, p)
		}
	}
	return out
}

const metresPerDegree = 111_195 // of latitude

// offLine returns how many metres p is from the line between a and b, on a plane: a
// page's points lie in one city.
func offLine(p, a, b point) float64 {
	plane := func(q point) (x, y float64) {
		return math.Remainder(q.Lon-a.Lon, 360) * math.Cos(a.Lat*math.Pi/180) * metresPerDegree, (q.Lat - a.Lat) * metresPerDegree
	}
	px, py := plane(p)
	bx, by := plane(b)

	along := 0.0
	if length := bx*bx + by*by; length > 0 {
		along = min(max((px*bx+py*by)/length, 0), 1)
	}
	return math.Hypot(px-along*bx, py-along*by)
}
