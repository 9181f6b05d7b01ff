package feed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGeoJSON(t *testing.T) {
	const start = "2020-01-01T00:00:00Z"
	for name, c := range map[string]struct {
		text            string
		how             Reading
		points, drivers int
		driver          string
		refused         []string
	}{
		"points": {text: `{"type":"FeatureCollection","name":"x","features":[
			{"type":"Feature","properties":{"taxi_id":7,"timestamp":"` + start + `"},"geometry":{"type":"Point","coordinates":[-56.19,-34.9,12]}},
			{"type":"Feature","properties":{"taxi_id":8,"timestamp":1577836800},"geometry":{"type":"Point","coordinates":[-56.19,-34.9]}}]}`,
			points: 2, drivers: 2, driver: "7"},
		"a byte order mark, one feature after another": {text: "\ufeff" + `{"type":"Feature","properties":{"time":"` + start + `"},"geometry":{"type":"Point","coordinates":[-56.19,-34.9]}}
			{"type":"Feature","id":3,"properties":{"time":"2020-01-01T00:00:09Z"},"geometry":{"type":"Point","coordinates":[-56.19,-34.9]}}`,
			points: 2, drivers: 1, driver: "x"},
		"properties named by the caller": {text: `{"type":"Feature","properties":{"who":"a","when":1577836800000},"geometry":{"type":"Point","coordinates":[-56.19,-34.9]}}`,
			how: Reading{Map: map[string]string{"driver": "who", "time": "when"}}, points: 1, drivers: 1, driver: "a"},
		"a line of togeojson": {text: `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"walk","coordTimes":["` + start + `","2020-01-01T00:00:20Z"]},
			"geometry":{"type":"LineString","coordinates":[[-56.19,-34.9],[-56.191,-34.9]]}}]}`, points: 2, drivers: 1, driver: "walk"},
		"lines of QGIS": {text: `{"type":"Feature","properties":{"name":"w","coordinateProperties":{"times":[["` + start + `"],["2020-01-01T00:00:20Z"]]}},
			"geometry":{"type":"MultiLineString","coordinates":[[[-56.19,-34.9]],[[-56.191,-34.9]]]}}`, points: 2, drivers: 1, driver: "w"},
		"trips of kepler.gl": {text: `{"type":"FeatureCollection","features":[
			{"type":"Feature","properties":{"vendor":"A"},"geometry":{"type":"LineString","coordinates":[[-56.19,-34.9,0,1577836800],[-56.191,-34.9,0,1577836820]]}},
			{"type":"Feature","properties":{"vendor":"A"},"geometry":{"type":"LineString","coordinates":[[-56.19,-34.9,0,1577836800]]}}]}`,
			points: 3, drivers: 2, driver: "x"},
		"what cannot be taken": {text: `{"type":"FeatureCollection","features":[
			{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[]}},
			{"type":"Feature","properties":null,"geometry":{"type":"LineString","coordinates":[[-56.19,-34.9],[-56.2,-34.9]]}},
			{"type":"Feature","properties":7,"geometry":null},
			{"type":"Feature","properties":{"time":null},"geometry":{"type":"Point","coordinates":[-56.19,-34.9]}},
			{"type":"Feature","properties":{"time":"` + start + `"},"geometry":{"type":"Point","coordinates":[0,0]}},
			{"type":"Feature","properties":{"time":"` + start + `"},"geometry":{"type":"Point","coordinates":[null,null]}},
			{"type":"Feature","properties":{"time":"` + start + `"},"geometry":{"type":"Point","coordinates":[-56.19,-34.9]}},
			{"type":"Feature","prop`,
			points: 1, drivers: 1, driver: "x", refused: []string{
				`its geometry is "Polygon": feed takes points and lines`, "the line has 2 places and 0 times", "not a feature: properties is a number",
				`time ""`, "0,0 is what a receiver writes", `latitude is empty`, "not JSON: unexpected EOF",
			}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := readFile(t, write(t, "x.geojson", c.text), c.how)
			require.NoError(t, err)
			require.Len(t, refusals(r), len(c.refused), "%v", r.refused)
			for i, reason := range c.refused {
				require.Contains(t, refusals(r)[i], reason)
			}
			require.Len(t, r.fixes, c.points)
			require.Len(t, r.drivers, c.drivers)
			require.Equal(t, c.driver, r.drivers[0])
			require.Equal(t, start, time.UnixMilli(r.fixes[0].at).UTC().Format(time.RFC3339))
		})
	}
}
