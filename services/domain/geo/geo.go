// Package geo is points on the earth: distance, bearing, boxes and cells. All
// angles are degrees (WGS 84), all lengths metres.
package geo

import (
	"math"

	"github.com/golang/geo/s2"
)

// EarthRadiusM is the mean radius of the earth.
const EarthRadiusM = 6_371_008.8

// Point is a place on the earth.
type Point struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Valid reports whether p is a place at all: in range, and so finite.
func (p Point) Valid() bool { return math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 }

// Distance returns the length of the great circle from a to b.
func Distance(a, b Point) float64 {
	lat1, lat2 := radians(a.Lat), radians(b.Lat)
	sinLat, sinLon := math.Sin((lat2-lat1)/2), math.Sin(radians(b.Lon-a.Lon)/2)
	h := sinLat*sinLat + math.Cos(lat1)*math.Cos(lat2)*sinLon*sinLon
	return 2 * EarthRadiusM * math.Asin(math.Sqrt(min(h, 1))) // rounding may bring h over 1
}

// Bearing returns the direction at a towards b, degrees clockwise from north in
// [0, 360).
func Bearing(a, b Point) float64 {
	lat1, lat2, dLon := radians(a.Lat), radians(b.Lat), radians(b.Lon-a.Lon)
	y := math.Sin(dLon) * math.Cos(lat2)
	x := math.Cos(lat1)*math.Sin(lat2) - math.Sin(lat1)*math.Cos(lat2)*math.Cos(dLon)
	return math.Mod(math.Atan2(y, x)*180/math.Pi+360, 360)
}

// Interpolate returns the point at fraction f in [0, 1] of the way from a to b,
// straight in latitude and longitude: right for the length of a street, and
// across the antimeridian by the short way.
func Interpolate(a, b Point, f float64) Point {
	dLon := math.Mod(b.Lon-a.Lon+540, 360) - 180
	return Point{Lat: a.Lat + f*(b.Lat-a.Lat), Lon: wrap(a.Lon + f*dLon)}
}

// Cell returns the id of the S2 cell of the given level (0 to 30) that p lies in.
func Cell(p Point, level int) uint64 {
	return uint64(s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lon)).Parent(level))
}

func radians(deg float64) float64 { return deg * math.Pi / 180 }
