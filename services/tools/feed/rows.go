package feed

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/services/domain/geo"
)

func (r *recording) clock() clock { return clock{zone: r.opts.Zone, format: r.opts.TimeFormat} }

// driver returns whose a row is: the column says it, or the caller, or the file's
// name.
func (r *recording) driver(get func(role) string) string {
	if _, ok := r.columns[driverRole]; ok && r.opts.Driver == "" {
		return get(driverRole)
	}
	if r.opts.Driver != "" {
		return r.opts.Driver
	}
	return r.name
}

func (r *recording) pointRow(line int, get func(role) string) {
	at := get(timeRole)
	if date := get(dateRole); date != "" {
		at = date + " " + at
	}
	if valid := get(validRole); isFalse(valid) {
		r.points++
		r.refuse(line, r.driver(get), fmt.Sprintf("valid is %q: the receiver had no fix", valid))
		return
	}
	r.point(line, r.driver(get), at, get(latRole), get(lonRole))
}

// point takes one point of any format.
func (r *recording) point(line int, driver, at, lat, lon string) {
	r.points++
	t, err := r.clock().parse(at)
	if err != nil {
		r.refuse(line, driver, err.Error())
		return
	}
	p, err := parsePlace(lat, lon)
	if err != nil {
		r.refuse(line, driver, err.Error())
		return
	}
	if driver == "" {
		r.refuse(line, driver, "the point has no driver")
		return
	}
	r.fix(line, driver, t.UnixMilli(), p)
}

// fix keeps a point that was checked.
func (r *recording) fix(line int, driver string, at int64, p geo.Point) {
	if !r.opts.within(time.UnixMilli(at)) {
		r.outside++
		return
	}

	id, known := r.known[driver]
	if !known {
		id = int32(len(r.drivers))
		driver = strings.Clone(driver) // else it keeps its whole line in memory
		r.drivers, r.known[driver] = append(r.drivers, driver), id
	}
	r.makeRoom()
	r.fixes = append(r.fixes, fix{at: at, pos: p, driver: id, line: int32(line)})
}

// makeRoom makes room for as many points as the whole file will have, as soon as
// that can be told: to grow by steps takes twice the memory.
func (r *recording) makeRoom() {
	const sample = 50_000
	if len(r.fixes) != sample || r.file == nil {
		return
	}

	// More than needed, since some of what was read still waits in buffers. Memory
	// that nobody writes to costs nothing.
	if part := r.file.part(); part > 0 {
		r.fixes = slices.Grow(r.fixes, int(sample/part*1.3))
	}
}

// polylineStep is the time between two fixes of a POLYLINE (ECML/PKDD 2015).
const polylineStep = 15_000

func (r *recording) polylineRow(line int, get func(role) string) {
	driver := r.driver(get)
	start, err := r.clock().parse(get(timeRole))
	if err != nil {
		r.refuse(line, driver, "TIMESTAMP: "+err.Error())
		return
	}

	// A fix's time is its place in the list, so it is wrong for all behind a hole.
	if missing := get(missingRole); isTrue(missing) {
		r.refuse(line, driver, fmt.Sprintf("MISSING_DATA is %s: fixes were left out, so the times of those behind are not known", missing))
		return
	}
	var points [][]*float64
	if err := json.Unmarshal([]byte(get(polylineRole)), &points); err != nil {
		r.refuse(line, driver, "POLYLINE is not a list of [longitude, latitude]")
		return
	}
	if driver == "" || len(points) == 0 {
		r.refuse(line, driver, "the trip has no driver or no points")
		return
	}

	for i, p := range points {
		r.points++
		if len(p) != 2 || p[0] == nil || p[1] == nil {
			r.refuse(line, driver, fmt.Sprintf("point %d of POLYLINE is not [longitude, latitude]", i+1))
			continue
		}
		place, err := checkPlace(*p[1], *p[0])
		if err != nil {
			r.refuse(line, driver, fmt.Sprintf("point %d of POLYLINE: %s", i+1, err))
			continue
		}
		r.fix(line, driver, start.UnixMilli()+int64(i)*polylineStep, place)
	}
}

func (r *recording) tripRow(line int, get func(role) string) {
	t, err := r.clock().parse(get(pickupTimeRole))
	if err != nil {
		r.refuse(line, "", err.Error())
		return
	}
	pickup, err := parsePlace(get(pickupLatRole), get(pickupLonRole))
	if err != nil {
		r.refuse(line, "", "pick-up: "+err.Error())
		return
	}
	dropoff, err := parsePlace(get(dropoffLatRole), get(dropoffLonRole))
	if err != nil {
		r.refuse(line, "", "drop-off: "+err.Error())
		return
	}
	if !r.opts.within(t) {
		r.outside++
		return
	}
	r.trips = append(r.trips, trip{line, t, pickup, dropoff})
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") || s == "1" }

func isFalse(s string) bool { return strings.EqualFold(s, "false") || s == "0" }
