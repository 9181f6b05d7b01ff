package main

import (
	"math"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/simplify"
)

// tolerance is how far a simplified line may lie from the true one, in tile units:
// about 1 m.
const tolerance = 110

// baseMap returns the layers that the browser draws; see doc.go of package city.
func baseMap(features []feature) (map[string]*geojson.FeatureCollection, error) {
	layers := map[string]*geojson.FeatureCollection{}
	for _, name := range []string{"sea", "areas", "buildings", "roads", "rails", "labels"} {
		layers[name] = geojson.NewFeatureCollection()
	}

	add := func(layer string, g orb.Geometry, props geojson.Properties) {
		f := geojson.NewFeature(inDegrees(g))
		f.Properties = props
		layers[layer].Append(f)
	}

	for _, f := range features {
		for _, l := range lines(f.geometry) {
			if class := roadClass(f); class != "" {
				props := geojson.Properties{"class": class}
				if n := f.tag("name"); n != "" {
					props["name"] = n
				}
				add("roads", l, props)
			} else if f.tag("railway") == "rail" {
				add("rails", l, geojson.Properties{})
			} else if f.tag("waterway") == "river" || f.tag("waterway") == "stream" {
				add("rails", l, geojson.Properties{"class": "stream"})
			}
		}

		switch f.geometry.(type) {
		case orb.Polygon, orb.MultiPolygon:
			if class := areaClass(f); class != "" {
				add("areas", f.geometry, geojson.Properties{"class": class})
			} else if b := f.tag("building"); b != "" && b != "no" {
				add("buildings", f.geometry, geojson.Properties{})
			}
		}

		if p, ok := center(f.geometry); ok {
			if rank := labelRank(f); rank > 0 {
				add("labels", p, geojson.Properties{"name": f.tag("name"), "rank": rank})
			}
		}
	}

	water, err := sea(features)
	if err != nil {
		return nil, err
	}
	add("sea", water, geojson.Properties{})

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
func inDegrees(g orb.Geometry) orb.Geometry {
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
