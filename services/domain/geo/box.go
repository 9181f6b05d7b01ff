package geo

import (
	"math"
	"strconv"
	"strings"
)

// Box is a part of the earth between two meridians and two parallels. West may
// be greater than East: the box then crosses the antimeridian.
type Box struct {
	West  float64 `json:"west"`
	South float64 `json:"south"`
	East  float64 `json:"east"`
	North float64 `json:"north"`
}

// Valid reports whether b is finite, in range, and not upside down.
func (b Box) Valid() bool {
	return Point{b.South, b.West}.Valid() && Point{b.North, b.East}.Valid() && b.South <= b.North
}

// ParseBox reads "west,south,east,north" in degrees. It reports whether that is a valid
// box.
func ParseBox(s string) (Box, bool) {
	parts := strings.Split(s, ",")
	if len(parts) != 4 {
		return Box{}, false
	}
	var degrees [4]float64
	for i, part := range parts {
		var err error
		if degrees[i], err = strconv.ParseFloat(part, 64); err != nil {
			return Box{}, false
		}
	}

	b := Box{West: degrees[0], South: degrees[1], East: degrees[2], North: degrees[3]}
	return b, b.Valid()
}

// Contains reports whether p lies in b; the edges belong to it.
func (b Box) Contains(p Point) bool {
	if p.Lat < b.South || p.Lat > b.North {
		return false
	}
	if b.West <= b.East {
		return p.Lon >= b.West && p.Lon <= b.East
	}
	return p.Lon >= b.West || p.Lon <= b.East
}

// Around returns the smallest box around every point within metres of p. Near a
// pole it goes all the way round.
func Around(p Point, metres float64) Box {
	dLat := metres / EarthRadiusM * 180 / math.Pi
	south, north := p.Lat-dLat, p.Lat+dLat
	if south <= -90 || north >= 90 {
		return Box{West: -180, South: max(south, -90), East: 180, North: min(north, 90)}
	}

	// The box is widest where a meridian touches the circle, not at p's latitude.
	ratio := math.Sin(metres/EarthRadiusM) / math.Cos(radians(p.Lat))
	if ratio >= 1 {
		return Box{West: -180, South: south, East: 180, North: north}
	}
	dLon := math.Asin(ratio) * 180 / math.Pi
	return Box{West: wrap(p.Lon - dLon), South: south, East: wrap(p.Lon + dLon), North: north}
}

func wrap(lon float64) float64 {
	switch {
	case lon < -180:
		return lon + 360
	case lon > 180:
		return lon - 360
	}
	return lon
}
