package feed

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func refusals(r *recording) (out []string) {
	for _, x := range r.refused {
		out = append(out, x.Reason)
	}
	return out
}

func readFile(t *testing.T, path string, how Reading) (*recording, error) {
	t.Helper()
	file, err := open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	return read(file, how)
}

func TestPortoTraces(t *testing.T) {
	r, err := readFile(t, "testdata/porto.csv", Reading{})
	require.NoError(t, err)
	require.Equal(t, pointsKind, r.kind)
	require.Equal(t, 8, r.lines)
	require.Equal(t, 3+2+2+1, r.points)
	var got []int64
	for _, f := range r.fixes {
		if r.drivers[f.driver] == "7001" {
			got = append(got, f.at-1_400_000_000_000)
		}
	}
	require.Equal(t, []int64{0, 15_000, 30_000}, got, "trips of one driver are merged by time, equal times are named")
	require.Len(t, r.refused, 8)
	all := strings.Join(refusals(r), "\n")
	for _, want := range []string{
		"another point of this driver has the same time (line 2)", `TIMESTAMP: time "not-a-time"`, "no driver or no points",
		"point 2 of POLYLINE", "not CSV", "the line has 5 columns, the header 9",
	} {
		require.Contains(t, all, want)
	}
	require.Contains(t, all, "point 1 of POLYLINE: latitude 95 is no place")
	require.Len(t, r.fixes, 3+1)
}

func TestTrips(t *testing.T) {
	r, err := readFile(t, "testdata/trips.csv", Reading{})
	require.NoError(t, err)
	require.Equal(t, tripsKind, r.kind)
	require.Equal(t, 5, r.lines, "an empty line is none")
	var lines []int
	for _, x := range r.trips {
		lines = append(lines, x.line)
	}
	require.Equal(t, []int{3, 5, 2}, lines, "in order of time; equal ends are booking's to refuse")
	require.Len(t, r.refused, 2)
}

func TestPlainPoints(t *testing.T) {
	r, err := readFile(t, "testdata/plain.csv", Reading{})
	require.NoError(t, err)
	require.Equal(t, []int64{1767261600000, 1767261610000, 1767261620500}, []int64{r.fixes[0].at, r.fixes[1].at, r.fixes[2].at})
	require.Equal(t, []string{`latitude "north" is not a number`, "the point has no driver"}, refusals(r))
	f := &feeder{rec: r}
	require.Regexp(t, "^"+r.hash+"-bus_1-[0-9a-f]{8}$", f.driverID("bus 1"))
	require.Equal(t, r.hash+"-bus_1", f.driverID("bus_1"))
}

func TestUnknownHeaderSaysWhatIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	require.NoError(t, os.WriteFile(path, []byte("a,b\n1,2\n"), 0o600))
	_, err := readFile(t, path, Reading{})
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, "driver,time,lat,lon")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = readFile(t, path, Reading{})
	require.ErrorContains(t, err, "is empty")
}

// FuzzRead reads from memory: with a file for each try the fuzzer, which runs an
// input thousands of times to make it smaller, got through nine in a minute.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/files/*")
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"time":1577836800},"geometry":{"type":"Point","coordinates":[-56,-34]}}]}`))
	f.Add([]byte(`{"type":"Feature","properties":{"coordTimes":["2020-01-01T00:00:00Z"]},"geometry":{"type":"MultiLineString","coordinates":[[[-56,-34,0,1577836800]]]}}`))
	f.Add([]byte(`<gpx><trk><name>a</name><trkseg><trkpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time></trkpt></trkseg></trk></gpx>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := read(&counted{ReadCloser: io.NopCloser(bytes.NewReader(b)), path: "x.csv"}, Reading{})
		if err != nil {
			return
		}
		last := map[int32]int64{}
		for _, x := range r.fixes {
			require.Greater(t, x.at, last[x.driver], "each driver's points rise in time")
			last[x.driver] = x.at
		}
	})
}
