package feed

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// feature is what of a GeoJSON feature feed needs (RFC 7946).
type feature struct {
	Type     string `json:"type"`
	Geometry struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
	Properties map[string]json.RawMessage `json:"properties"`
}

// readGeoJSON reads the points and lines of a collection, or of features that
// follow each other (RFC 8142, without its separators). Refusals count features
// instead of lines.
func (r *recording) readGeoJSON(in *bufio.Reader) error {
	r.format = "GeoJSON, where a line is a feature"
	dec := json.NewDecoder(in)
	for {
		err := r.geoObject(dec)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, ErrFormat):
			return err
		case err != nil:
			// What was read before is whole: a file that was cut off is fed as far as it goes.
			r.refuse(r.lines+1, "", "not JSON: "+err.Error())
			return nil //nolint:nilerr // refused by name
		}
	}
}

// geoObject reads one object: a feature, or a collection, feature by feature, as
// nobody says how large it is.
func (r *recording) geoObject(dec *json.Decoder) error {
	if err := expect(dec, '{'); err != nil {
		return err
	}

	var f feature
	collection := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		switch key {
		case "features":
			collection = true
			err = r.features(dec)
		case "type":
			err = dec.Decode(&f.Type)
		case "geometry":
			err = dec.Decode(&f.Geometry)
		case "properties":
			err = dec.Decode(&f.Properties)
		default:
			err = dec.Decode(&json.RawMessage{})
		}
		if err != nil {
			return err
		}
	}
	if err := expect(dec, '}'); err != nil {
		return err
	}

	switch {
	case collection:
		return nil
	case f.Type == "Feature":
		r.feature(f)
		return nil
	}
	return fmt.Errorf("%w: this is JSON of the type %q: of JSON, feed takes GeoJSON with features, of which each has its time", ErrFormat, f.Type)
}

func (r *recording) features(dec *json.Decoder) error {
	if err := expect(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		var f feature
		err := dec.Decode(&f)
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &kind): // the decoder has read past it
			r.lines++
			r.refuse(r.lines, "", fmt.Sprintf("not a feature: %s is a %s", kind.Field, kind.Value))
		case err != nil:
			return err
		default:
			r.feature(f)
		}
	}
	return expect(dec, ']')
}

func expect(dec *json.Decoder, want json.Delim) error {
	got, err := dec.Token()
	if err == nil && got != want {
		err = fmt.Errorf("%v instead of %v", got, want)
	}
	return err
}

// feature takes a point with its time, or a line with a time for each place.
func (r *recording) feature(f feature) {
	r.lines++
	get := f.roles(r.opts.Map)
	switch f.Geometry.Type {
	case "Point":
		var place []json.Number
		if err := json.Unmarshal(f.Geometry.Coordinates, &place); err != nil || len(place) < 2 {
			r.points++
			r.refuse(r.lines, get(driverRole), "the point's coordinates are not [longitude, latitude]")
			return
		}
		driver := get(driverRole)
		if driver == "" || r.opts.Driver != "" {
			driver = r.trackDriver("", 1)
		}
		r.point(r.lines, driver, get(timeRole), place[1].String(), place[0].String())
	case "LineString":
		r.geoLine(f.Geometry.Coordinates, f.times(), r.lineDriver(f, get, 0))
	case "MultiLineString":
		var parts, times []json.RawMessage
		_ = json.Unmarshal(f.Geometry.Coordinates, &parts)
		_ = json.Unmarshal(f.times(), &times)
		for i, part := range parts {
			var at json.RawMessage
			if i < len(times) {
				at = times[i]
			}
			r.geoLine(part, at, r.lineDriver(f, get, i))
		}
	default:
		r.refuse(r.lines, get(driverRole), fmt.Sprintf("its geometry is %q: feed takes points and lines", f.Geometry.Type))
	}
}

// geoLine takes the places of one line; the fourth number of a place is its time
// where nothing else says it (kepler.gl).
func (r *recording) geoLine(coordinates, times json.RawMessage, driver string) {
	var places [][]json.Number
	var at []json.RawMessage
	if err := json.Unmarshal(coordinates, &places); err != nil {
		r.refuse(r.lines, driver, "the line's coordinates are no list of [longitude, latitude]")
		return
	}
	_ = json.Unmarshal(times, &at) // what is no list has no time for each place

	for i, p := range places {
		var when string
		switch {
		case len(p) < 2:
			r.points++
			r.refuse(r.lines, driver, fmt.Sprintf("place %d of the line is not [longitude, latitude]", i+1))
			continue
		case len(at) == len(places):
			when = jsonText(at[i])
		case len(at) == 0 && len(p) >= 4:
			when = p[3].String()
		default:
			r.refuse(r.lines, driver, fmt.Sprintf("the line has %d places and %d times: coordTimes, coordinateProperties.times or a fourth number of each place say when", len(places), len(at)))
			return
		}
		r.point(r.lines, driver, when, p[1].String(), p[0].String())
	}
}

// times returns a line's list of times as togeojson and QGIS write it.
func (f feature) times() json.RawMessage {
	if at, ok := f.Properties["coordTimes"]; ok {
		return at
	}
	var nested struct {
		Times json.RawMessage `json:"times"`
	}
	_ = json.Unmarshal(f.Properties["coordinateProperties"], &nested)
	return nested.Times
}

// lineDriver returns whose the n-th part of a line is.
func (r *recording) lineDriver(f feature, get func(role) string, n int) string {
	name := get(driverRole)
	if name == "" {
		name = jsonText(f.Properties["name"])
	}
	if name == "" || r.opts.Driver != "" {
		return r.trackDriver("", r.lines+n)
	}
	return name
}

// roles returns a function that returns the text of the property with a role.
func (f feature) roles(byUser map[string]string) func(role) string {
	names := slices.Sorted(maps.Keys(f.Properties))
	t, _ := resolve(names, byUser) // that no format is whole says nothing: places are the geometry's
	return func(x role) string {
		i, ok := t.columns[x]
		if !ok {
			return ""
		}
		return strings.TrimSpace(jsonText(f.Properties[names[i]]))
	}
}

// jsonText returns a text, or a number as it was written; anything else is "".
func jsonText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if _, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return string(raw)
	}
	return ""
}
