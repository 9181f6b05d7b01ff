package client

import (
	"math"
	"time"

	"tandem/services/domain/geo"
)

// streetSpeed is about 30 km/h, where a route names no speed.
const streetSpeed = 8

// Mover is a car on its way: it drives along a polyline at the streets' speeds.
// It is for one goroutine.
type Mover struct {
	At      geo.Point
	Heading float64 // degrees clockwise from north, [0, 360)
	Speed   float64 // metres a second over the ground, over the last Drive

	points []geo.Point
	speeds []float64 // metres a second from the point of the same index to the next
	leg    int       // index of the point that is driven from
}

// Follow takes a new route. It begins at points[0], where the car is; the
// speed of a leg that speeds does not name is that of a city street.
func (m *Mover) Follow(points []geo.Point, speeds []float64) {
	m.points, m.speeds, m.leg = points, speeds, 0
}

// Arrived reports whether the route's end was reached, or there is no route.
func (m *Mover) Arrived() bool { return m.leg+1 >= len(m.points) }

// Drive moves for dt at factor times the streets' speeds.
func (m *Mover) Drive(dt time.Duration, factor float64) {
	left := dt.Seconds()
	m.Speed = 0
	for left > 0 && !m.Arrived() {
		to := m.points[m.leg+1]
		distance := geo.Distance(m.At, to)
		m.Speed = factor * m.legSpeed()
		if distance > 0.5 { // metres: over less, the direction is noise
			m.Heading = math.Mod(geo.Bearing(m.At, to), 360)
		}

		if reach := m.Speed * left; reach < distance {
			m.At = geo.Interpolate(m.At, to, reach/distance)
			return
		}
		left -= distance / m.Speed
		m.At = to
		m.leg++
	}

	if m.Arrived() {
		m.Speed = 0
	}
}

func (m *Mover) legSpeed() float64 {
	if m.leg < len(m.speeds) && m.speeds[m.leg] > 0 {
		return m.speeds[m.leg]
	}
	return streetSpeed
}
