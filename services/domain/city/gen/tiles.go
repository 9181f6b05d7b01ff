package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"
)

const (
	zoom   = 12
	extent = 1 << 20
)

// feature is one OSM object, or the part of it that lies in one tile, in
// whole-world tile units (the tile's number × extent + position in it).
type feature struct {
	geometry orb.Geometry
	tags     geojson.Properties
}

func (f feature) tag(name string) string {
	if v, ok := f.tags[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// readTiles returns the features of all tiles in dir.
func readTiles(dir string) ([]feature, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "12-*.mvt"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no tiles in %s (%w)", dir, err)
	}

	var out []feature
	for _, path := range paths {
		var x, y int
		if _, err := fmt.Sscanf(filepath.Base(path), "12-%d-%d.mvt", &x, &y); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}

		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		layers, err := mvt.Unmarshal(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}

		for _, l := range layers {
			for _, f := range l.Features {
				dx, dy := float64(x)*extent, float64(y)*extent
				geometry := f.Geometry
				if p, ok := geometry.(orb.Point); ok {
					geometry = orb.Point{p[0] + dx, p[1] + dy}
				}

				move(geometry, dx, dy)
				out = append(out, feature{geometry, f.Properties})
			}
		}
	}
	return out, nil
}

// move shifts lines and areas in place. A point is a value, so it cannot be moved
// this way.
func move(g orb.Geometry, dx, dy float64) {
	switch g := g.(type) {
	case orb.LineString:
		for i := range g {
			g[i][0], g[i][1] = g[i][0]+dx, g[i][1]+dy
		}
	case orb.MultiLineString:
		for _, l := range g {
			move(l, dx, dy)
		}
	case orb.Ring:
		move(orb.LineString(g), dx, dy)
	case orb.Polygon:
		for _, r := range g {
			move(r, dx, dy)
		}
	case orb.MultiPolygon:
		for _, p := range g {
			move(p, dx, dy)
		}
	}
}

// degrees returns longitude and latitude of a position in tile units.
func degrees(p orb.Point) (lon, lat float64) {
	n := float64(extent) * math.Exp2(zoom)
	lon = p[0]/n*360 - 180
	lat = math.Atan(math.Sinh(math.Pi*(1-2*p[1]/n))) * 180 / math.Pi
	return lon, lat
}

// tileUnits is the reverse of degrees.
func tileUnits(lat, lon float64) orb.Point {
	n := float64(extent) * math.Exp2(zoom)
	return orb.Point{(lon + 180) / 360 * n, (1 - math.Asinh(math.Tan(lat*math.Pi/180))/math.Pi) / 2 * n}
}

// lines returns the line strings of a geometry.
func lines(g orb.Geometry) []orb.LineString {
	switch g := g.(type) {
	case orb.LineString:
		return []orb.LineString{g}
	case orb.MultiLineString:
		return g
	}
	return nil
}
