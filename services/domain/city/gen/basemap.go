package main

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/simplify"
)

// tolerance is how far a simplified line may lie from the true one, in tile units:
// about 1 m.
const tolerance = 110

// namesTolerance is the same for the lines that only a name runs along: about 5 m.
const namesTolerance = 5 * tolerance

// smallArea is the size below which an area is only worth drawing close up, in square
// tile units: about 2,000 square metres.
const smallArea = 2000 * tolerance * tolerance

// roadFiles tells in which file the roads of a class are. The map cannot do without
// the first two; paths are drawn close up only.
var roadFiles = map[string]string{
	"trunk": "mains", "primary": "mains", "secondary": "mains",
	"tertiary": "streets", "street": "streets",
	"service": "paths", "path": "paths",
}

// baseMap returns the layers that the browser draws, a file each; see doc.go of
// package city. A file is fetched as a whole, so what is drawn close up has its own.
func baseMap(features []feature) (map[string]*geojson.FeatureCollection, error) {
	layers := map[string]*geojson.FeatureCollection{}
	for _, name := range []string{"sea", "areas", "small-areas", "buildings", "mains", "streets", "paths", "names", "rails", "labels"} {
		layers[name] = geojson.NewFeatureCollection()
	}

	add := func(layer string, g orb.Geometry, props geojson.Properties) {
		f := geojson.NewFeature(g)
		f.Properties = props
		layers[layer].Append(f)
	}

	roads := map[string]orb.MultiLineString{}
	for _, f := range features {
		for _, l := range lines(f.geometry) {
			if class := roadClass(f); class != "" {
				roads[class] = append(roads[class], inDegrees(l, tolerance).(orb.LineString))
				if n := f.tag("name"); n != "" && roadFiles[class] != "paths" {
					add("names", inDegrees(l, namesTolerance), geojson.Properties{"name": n})
				}
			} else if f.tag("railway") == "rail" {
				add("rails", inDegrees(l, tolerance), geojson.Properties{})
			} else if f.tag("waterway") == "river" || f.tag("waterway") == "stream" {
				add("rails", inDegrees(l, tolerance), geojson.Properties{"class": "stream"})
			}
		}

		switch f.geometry.(type) {
		case orb.Polygon, orb.MultiPolygon:
			if class := areaClass(f); class != "" {
				layer := "areas"
				if math.Abs(planar.Area(f.geometry)) < smallArea {
					layer = "small-areas"
				}
				add(layer, inDegrees(f.geometry, tolerance), geojson.Properties{"class": class})
			} else if b := f.tag("building"); b != "" && b != "no" {
				add("buildings", inDegrees(f.geometry, tolerance), geojson.Properties{})
			}
		}

		if p, ok := center(f.geometry); ok {
			if rank := labelRank(f); rank > 0 {
				add("labels", inDegrees(p, tolerance), geojson.Properties{"name": f.tag("name"), "rank": rank})
			}
		}
	}

	// The roads of one class are one feature: a line for each needs half as much again.
	for _, class := range slices.Sorted(maps.Keys(roads)) {
		add(roadFiles[class], roads[class], geojson.Properties{"class": class})
	}

	water, err := sea(features)
	if err != nil {
		return nil, err
	}
	add("sea", inDegrees(water, tolerance), geojson.Properties{})

	return layers, nil
}

// roadClass returns the class by which a road is drawn, or "" for what is no road.
func roadClass(f feature) string {
	class := f.tag("highway")
	switch strings.TrimSuffix(class, "_link") {
	case "motorway", "trunk":
		return "trunk"
	case "primary":
		return "primary"
	case "secondary":
		return "secondary"
	case "tertiary":
		return "tertiary"
	case "residential", "unclassified", "living_street":
		return "street"
	case "service":
		return "service"
	case "pedestrian", "footway", "path", "cycleway", "steps":
		return "path"
	}
	return ""
}

// areaClass returns the class by which an area is drawn, or "" if it is not drawn.
func areaClass(f feature) string {
	switch {
	case f.tag("natural") == "water" || f.tag("waterway") == "riverbank":
		return "water"
	case f.tag("natural") == "beach" || f.tag("natural") == "sand":
		return "beach"
	case f.tag("leisure") == "park" || f.tag("leisure") == "garden" || f.tag("leisure") == "golf_course",
		f.tag("landuse") == "grass", f.tag("landuse") == "forest", f.tag("landuse") == "recreation_ground",
		f.tag("landuse") == "meadow", f.tag("natural") == "wood", f.tag("landuse") == "cemetery":
		return "park"
	case f.tag("leisure") == "pitch" || f.tag("leisure") == "stadium":
		return "pitch"
	case f.tag("landuse") == "industrial" || f.tag("landuse") == "military" || f.tag("aeroway") == "aerodrome" || f.tag("landuse") == "retail":
		return "works"
	}
	return ""
}

// labelRank returns how important a label is, 1 the most, or 0 for no label.
func labelRank(f feature) int {
	if f.tag("name") == "" {
		return 0
	}

	switch f.tag("place") {
	case "city", "town":
		return 1
	case "suburb":
		return 2
	case "neighbourhood", "hamlet":
		return 3
	}

	if f.tag("leisure") == "park" || f.tag("leisure") == "stadium" {
		return 4
	}
	return 0
}

// inDegrees returns the geometry simplified and in degrees, rounded to about 1 m.
func inDegrees(g orb.Geometry, tolerance float64) orb.Geometry {
	if _, ok := g.(orb.Point); !ok {
		g = simplify.DouglasPeucker(tolerance).Simplify(orb.Clone(g))
	}

	at := func(p orb.Point) orb.Point {
		lon, lat := degrees(p)
		return orb.Point{math.Round(lon*1e5) / 1e5, math.Round(lat*1e5) / 1e5}
	}

	switch g := g.(type) {
	case orb.Point:
		return at(g)
	case orb.LineString:
		for i := range g {
			g[i] = at(g[i])
		}
	case orb.Polygon:
		for _, r := range g {
			for i := range r {
				r[i] = at(r[i])
			}
		}
	case orb.MultiPolygon:
		for _, p := range g {
			for _, r := range p {
				for i := range r {
					r[i] = at(r[i])
				}
			}
		}
	}
	return g
}
