package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"tandem/services/domain/geo"
)

// polylineStep is the time between two fixes of a POLYLINE (ECML/PKDD 2015).
const polylineStep = 15_000

func (r *recording) polyline(line int, driver, start, polyline string) {
	seconds, err := strconv.ParseInt(start, 10, 64)
	if err != nil || seconds <= 0 {
		r.refuse(line, driver, fmt.Sprintf("TIMESTAMP %q is not Unix seconds", start))
		return
	}
	var points [][]float64
	if err := json.Unmarshal([]byte(polyline), &points); err != nil {
		r.refuse(line, driver, "POLYLINE is not a list of [longitude, latitude]")
		return
	}
	if driver == "" || len(points) == 0 {
		r.refuse(line, driver, "the trip has no driver or no points")
		return
	}

	for i, p := range points {
		r.points++
		if len(p) != 2 {
			r.refuse(line, driver, fmt.Sprintf("point %d of POLYLINE is not [longitude, latitude]", i+1))
			continue
		}
		r.fixes = append(r.fixes, fix{driver, seconds*1000 + int64(i)*polylineStep, geo.Point{Lat: p[1], Lon: p[0]}, line})
	}
}

func (r *recording) point(line int, driver, at, lat, lon string) {
	r.points++
	t, err := parseTime(at)
	if err != nil {
		r.refuse(line, driver, err.Error())
		return
	}
	p, err := parsePoint(lat, lon)
	if err != nil {
		r.refuse(line, driver, err.Error())
		return
	}
	if driver == "" {
		r.refuse(line, driver, "the point has no driver")
		return
	}
	r.fixes = append(r.fixes, fix{driver, t.UnixMilli(), p, line})
}

func (r *recording) trip(line int, at string, ends [4]string) {
	t, err := parseTime(at)
	if err != nil {
		r.refuse(line, "", err.Error())
		return
	}
	pickup, err := parsePoint(ends[0], ends[1])
	if err != nil {
		r.refuse(line, "", "pick-up: "+err.Error())
		return
	}
	dropoff, err := parsePoint(ends[2], ends[3])
	if err != nil {
		r.refuse(line, "", "drop-off: "+err.Error())
		return
	}
	r.trips = append(r.trips, trip{line, t, pickup, dropoff})
}

func parsePoint(lat, lon string) (geo.Point, error) {
	la, err := strconv.ParseFloat(lat, 64)
	if err != nil {
		return geo.Point{}, fmt.Errorf("latitude %q is not a number", lat)
	}
	lo, err := strconv.ParseFloat(lon, 64)
	if err != nil {
		return geo.Point{}, fmt.Errorf("longitude %q is not a number", lon)
	}

	p := geo.Point{Lat: la, Lon: lo}
	switch {
	case !p.Valid():
		return geo.Point{}, fmt.Errorf("%s,%s is no place: latitude is -90 to 90, longitude -180 to 180", lat, lon)
	case la == 0 && lo == 0:
		return geo.Point{}, errors.New("0,0 is what a receiver writes that had no fix")
	}
	return p, nil
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return checkTime(t, s)
		}
	}
	if sec, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(sec) < 1e11 {
		return checkTime(time.UnixMilli(int64(math.Round(sec*1000))), s)
	}
	return time.Time{}, fmt.Errorf("time %q is neither RFC 3339 nor Unix seconds", s)
}

func checkTime(t time.Time, s string) (time.Time, error) {
	if t.UnixMilli() <= 0 {
		return time.Time{}, fmt.Errorf("time %q is before 1970", s)
	}
	return t.UTC(), nil
}
