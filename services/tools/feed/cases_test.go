package feed

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPeoplesFiles feeds small files with the troubles of real ones.
func TestPeoplesFiles(t *testing.T) {
	at := func(s string) int64 {
		x, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
		return x.UnixMilli()
	}
	new2020 := at("2020-01-01T00:00:00Z")
	cases := map[string]struct {
		trips, points, drivers int
		first                  int64  // time of the first point
		driver                 string // of the first point
		refused                []string
		err                    string // the file is not taken, and says this
	}{
		"bom.csv":            {points: 2, drivers: 1, first: new2020},
		"cabspotting.txt":    {points: 2, drivers: 1, driver: "cabspotting", first: at("2008-06-10T07:57:39Z")},
		"chicago.csv":        {trips: 1},
		"chinese_plates.csv": {points: 2, drivers: 2},
		"comment.csv":        {points: 2, drivers: 1},
		"cr.csv":             {points: 2, drivers: 1},
		"cyrillic.csv":       {points: 4, drivers: 2, driver: "Иван"},
		"decimalcomma.csv":   {points: 1, drivers: 1},
		"didi.txt":           {points: 2, drivers: 1, driver: "driverA", first: 1477969147000},
		"gtfsrt.csv":         {points: 2, drivers: 1, driver: "bus7"},
		"hive.csv":           {trips: 1},
		"latin1.csv":         {points: 1, drivers: 1, driver: "José"},
		"lng.csv":            {points: 1, drivers: 1},
		"longid.csv":         {points: 2, drivers: 2},

		"newline_in_quotes.csv": {points: 2, drivers: 2},
		"nsew.csv":              {refused: []string{`latitude "34.9S" is not a number: write south and west with a minus`}},
		"nulls.csv": {points: 1, drivers: 1, refused: []string{
			`latitude "NULL"`, "latitude is empty", "NaN,NaN is no place", `latitude "\\N"`, "0,0 is what", "0,0 is what",
			"+Inf,1 is no place", `time ""`, "the point has no driver",
		}},
		"nyc2009.csv":       {trips: 2},
		"nyc2015.csv":       {trips: 1, refused: []string{"pick-up: 0,0 is what a receiver writes that had no fix"}},
		"nyc2017.csv":       {err: "its columns name zones (PULocationID), no coordinates"},
		"points.csv.gz":     {points: 2, drivers: 1},
		"porto_missing.csv": {refused: []string{"MISSING_DATA is True: fixes were left out"}},
		"porto_trunc.csv":   {points: 2, drivers: 1, refused: []string{"not CSV"}},
		"punct.csv":         {points: 3, drivers: 3},
		"quoted.csv":        {points: 1, drivers: 1, driver: "a"},
		"quotedspace.csv":   {points: 1, drivers: 1, driver: "a"},
		"sametime.csv":      {points: 1, drivers: 1, refused: []string{"another point of this driver has the same time (line 2)"}},
		"sci_lat.csv":       {points: 1, drivers: 1},
		"swapped.csv":       {points: 2, drivers: 1}, // TestOddPlacesAreNoted

		"t_excel.csv":          {refused: []string{`time "43831.0006944" looks like Excel's days: --time-format excel`}},
		"t_float.csv":          {points: 1, drivers: 1, first: new2020 + 250},
		"t_ms.csv":             {points: 1, drivers: 1, first: new2020},
		"t_ns.csv":             {points: 1, drivers: 1, first: new2020},
		"t_offset_nocolon.csv": {points: 1, drivers: 1, first: new2020},
		"t_offset_space.csv":   {points: 1, drivers: 1, first: new2020},
		"t_slash.csv":          {points: 1, drivers: 1, first: new2020},
		"t_us.csv_":            {refused: []string{`which is the day, which the month? Say so with --time-format`}},
		"t_zero.csv":           {refused: []string{`time "0" is no Unix time between 1980 and 2100`, `is 1970-01-01: a fix is from between 1980 and 2100`}},
		"tdrive.txt":           {points: 2, drivers: 1, driver: "366", first: at("2008-02-02T15:36:08Z")},
		"traccar.csv":          {points: 2, drivers: 1, driver: "1"},
		"track.gpx":            {points: 2, drivers: 1, driver: "a", first: at("2022-03-27T20:32:01.137Z")},
		"truncated2.csv":       {points: 2, drivers: 1, refused: []string{"it lies 8208 m from the point before (line 3), 5.0 s later: the receiver jumped"}},
	}

	entries, err := os.ReadDir("testdata/files")
	require.NoError(t, err)
	require.Len(t, entries, len(cases), "each file has its line")
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := readFile(t, filepath.Join("testdata/files", name), Reading{})
			if want.err != "" {
				require.ErrorIs(t, err, ErrFormat)
				require.ErrorContains(t, err, want.err)
				return
			}
			require.NoError(t, err)
			require.Len(t, r.trips, want.trips)
			require.Len(t, r.fixes, want.points, "%v", r.refused)
			require.Len(t, refusals(r), len(want.refused), "%v", r.refused)
			for i, reason := range want.refused {
				require.Contains(t, refusals(r)[i], reason)
			}
			if want.points == 0 {
				return
			}

			drivers := map[string]bool{}
			f := &feeder{rec: r}
			for _, x := range r.fixes {
				drivers[f.driverID(r.drivers[x.driver])] = true
			}
			require.Len(t, drivers, want.drivers, "no two become one car")
			if want.driver != "" {
				require.Equal(t, want.driver, r.drivers[r.fixes[0].driver])
			}
			if want.first != 0 {
				require.Equal(t, want.first, r.fixes[0].at)
			}
		})
	}
}

func TestWhatTheCallerSays(t *testing.T) {
	const day = "-34.9,-56.19"
	montevideo, err := time.LoadLocation("America/Montevideo")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		file, text string
		how        Reading
		driver     string
		at         string
	}{
		"columns mapped":    {"x.csv", "who;when;y;x\na;2020-01-01 00:00:00;-34,9;-56,19\n", Reading{Map: map[string]string{"driver": "who", "time": "When", "lat": "y", "lon": "x"}}, "a", "2020-01-01T00:00:00Z"},
		"columns named":     {"x.csv", "z,2020-01-01 00:00:00,9," + day + "\n", Reading{Columns: []string{"driver", "time", "-", "lat", "lon"}}, "z", "2020-01-01T00:00:00Z"},
		"a driver":          {"x.csv", "time,lat,lon\n2020-01-01 00:00:00," + day + "\n", Reading{Driver: "me"}, "me", "2020-01-01T00:00:00Z"},
		"the file's name":   {"car7.2020.csv", "time,lat,lon\n2020-01-01 00:00:00," + day + "\n", Reading{}, "car7", "2020-01-01T00:00:00Z"},
		"a time zone":       {"x.csv", "driver,time,lat,lon\na,2020-01-01 00:00:00," + day + "\n", Reading{Zone: montevideo}, "a", "2020-01-01T03:00:00Z"},
		"Excel's days":      {"x.csv", "driver,time,lat,lon\na,43831.5," + day + "\n", Reading{TimeFormat: "excel"}, "a", "2020-01-01T12:00:00Z"},
		"month first":       {"x.csv", "driver,time,lat,lon\na,1/2/2020 13:05," + day + "\n", Reading{TimeFormat: "1/2/2006 15:04"}, "a", "2020-01-02T13:05:00Z"},
		"UTF-16":            {"x.csv", "\xff\xfe" + utf16le("driver,time,lat,lon\na,2020-01-01 00:00:00,"+day+"\n"), Reading{}, "a", "2020-01-01T00:00:00Z"},
		"date and time":     {"x.csv", "driver,date,time,lat,lon\na,2020-01-01,07:00:00," + day + "\n", Reading{}, "a", "2020-01-01T07:00:00Z"},
		"GeoLife":           {"x.plt", "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2,255,My Track,0,0,2,8421376\n0\n39.9,116.3,0,492,39744.12,2008-10-23,02:53:04\n", Reading{}, "x", "2008-10-23T02:53:04Z"},
		"surplus separator": {"x.csv", "driver,time,lat,lon\na,2020-01-01 00:00:00," + day + ",,\n", Reading{}, "a", "2020-01-01T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := readFile(t, write(t, c.file, c.text), c.how)
			require.NoError(t, err)
			require.Empty(t, r.refused)
			require.Len(t, r.fixes, 1)
			require.Equal(t, c.driver, r.drivers[r.fixes[0].driver])
			require.Equal(t, c.at, time.UnixMilli(r.fixes[0].at).UTC().Format(time.RFC3339))
		})
	}
}

func utf16le(s string) string {
	var b strings.Builder
	for _, c := range s {
		b.WriteByte(byte(c))
		b.WriteByte(byte(c >> 8))
	}
	return b.String()
}

func TestAFileThatIsNotTakenSaysWhatWasSeen(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     {"the file is empty"},
		"PK\x03\x04zzzz":       {"zip archive"},
		"\x1f\x8bzzzz":         {"this is gzip, and damaged"},
		"PAR1zzz":              {"Parquet"},
		"a\x00b":               {"not text"},
		`{"type":"Topology"}`:  {`this is JSON of the type "Topology"`},
		"who;lat;lng\nx;1;2\n": {"3 columns", `separated by ';'`, `lat is "lat"`, `lon is "lng"`, "not found: time", "--map"},
		"1,2,3\n4,5,6\n":       {"3 columns", "--columns"},
		"a,2020-01-01 00:00:00,-34.9,-56.19\na,2020-01-01 00:00:05,-34.9,-56.19\n": {"--columns driver,time,lat,lon"}, // or lon,lat?
	} {
		_, err := readFile(t, write(t, "x.csv", text), Reading{})
		require.Error(t, err, "%q", text)
		for _, part := range want {
			require.ErrorContains(t, err, part)
		}
	}
}

// One check for every format: what is no fix in a CSV is none in a polyline.
func TestAPolylineHasNoInventedPoints(t *testing.T) {
	r, err := readFile(t, write(t, "x.csv", "TAXI_ID,TIMESTAMP,POLYLINE\n7,1400000000,\"[[-8.61,41.15],[0,0],[null,null],[-8.62,95],[-8.611,41.151]]\"\n"), Reading{})
	require.NoError(t, err)
	require.Len(t, r.fixes, 2)
	require.Equal(t, int64(60_000), r.fixes[1].at-r.fixes[0].at)
	require.Len(t, r.refused, 3)
}

func TestAJumpIsRefusedAndNoSpeedIsInvented(t *testing.T) {
	r, err := readFile(t, write(t, "x.csv", "driver,time,lat,lon\n"+
		"a,2020-01-01 00:00:00,-34.9,-56.19\na,2020-01-01 00:00:10,-34.5,-56.19\na,2020-01-01 00:00:20,-34.901,-56.19\n"+
		"b,2020-01-01 00:00:00,-34.9,-56.19\nb,2020-01-01 00:00:00.1,-34.9005,-56.19\n"), Reading{})
	require.NoError(t, err)
	require.Len(t, r.refused, 1)
	require.Regexp(t, `it lies 44\d\d\d m from the point before \(line 2\), 10.0 s later`, r.refused[0].Reason)

	heads, sent := headings{}, map[int32]string{}
	for _, x := range r.fixes {
		b, err := json.Marshal(heads.point(x))
		require.NoError(t, err)
		sent[x.line] = string(b)
	}
	require.Regexp(t, `"speed":5.6,"heading":180}$`, sent[4], "111 m in 20 s, south; and no recording tells an accuracy")
	for line, why := range map[int32]string{2: "the first of all", 6: "556 m/s within a tenth of a second is the receiver's noise"} {
		require.NotRegexp(t, "speed|heading|accuracy", sent[line], why)
	}
}

func TestACarThatStandsHasASpeedAndNoHeading(t *testing.T) {
	r, err := readFile(t, write(t, "x.csv", "driver,time,lat,lon\na,2020-01-01 00:00:00,-34.9,-56.19\na,2020-01-01 00:00:10,-34.9,-56.19\n"), Reading{})
	require.NoError(t, err)

	heads := headings{}
	heads.point(r.fixes[0])
	b, err := json.Marshal(heads.point(r.fixes[1]))
	require.NoError(t, err)
	require.Regexp(t, `"speed":0}$`, string(b))
}

func TestOddPlacesAreNoted(t *testing.T) {
	td := newTandem(t)
	s, out, err := run(t, td, Config{File: "testdata/files/swapped.csv"})
	require.NoError(t, err)
	require.Equal(t, 2, s.Accepted)
	require.Contains(t, out, "all of it lies around latitude -74.0, near a pole: are latitude and longitude swapped?")
}

func TestADryRunSendsNothingAndSaysWhatWasUnderstood(t *testing.T) {
	td := newTandem(t)
	_, out, err := run(t, td, Config{File: "testdata/files/nulls.csv", DryRun: true})
	require.NoError(t, err)
	require.Zero(t, td.stored())
	for _, want := range []string{
		"Nothing was sent", `lat is column 3, "lat"`, `driver "a", 2020-01-01T00:00:08Z, latitude -34.9`, "1 drivers",
		"2 refused: 0,0 is what a receiver writes that had no fix (line 6, 7)",
	} {
		require.Contains(t, out, want)
	}
}

func TestOnlyTheTimesThatAreAskedFor(t *testing.T) {
	td := newTandem(t)
	state, path := t.TempDir(), write(t, "x.csv", threePoints)
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	s, out, err := run(t, td, Config{File: path, StateDir: state, Reading: Reading{From: from, To: from.Add(5 * time.Second)}})
	require.NoError(t, err)
	require.Equal(t, 1, s.Accepted, "from is taken, to is not")
	require.Equal(t, 2, s.Outside)
	require.Contains(t, out, "2 lie outside of --from and --to")

	s, _, err = run(t, td, Config{File: path, StateDir: state, Resume: true})
	require.NoError(t, err)
	require.Equal(t, 2, s.Accepted, "how far another span was fed says nothing of this one")

	for text, want := range map[string]string{"2020-01-01": "2020-01-01T00:00:00Z", "2020-01-01 07:00": "2020-01-01T07:00:00Z", "1577836800": "2020-01-01T00:00:00Z"} {
		got, err := ParseTime(text, time.UTC)
		require.NoError(t, err)
		require.Equal(t, want, got.Format(time.RFC3339))
	}
}

func TestLimitTakesTheEarliest(t *testing.T) {
	td := newTandem(t)
	s, _, err := run(t, td, Config{File: "testdata/files/cyrillic.csv", Limit: 3})
	require.NoError(t, err)
	require.Equal(t, 3, s.Accepted)
}
