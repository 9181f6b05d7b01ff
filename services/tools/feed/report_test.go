package feed

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// The page takes ?box=west,south,east,north (web/src/map/projection.ts).
func TestTheReportEndsWithALinkToTheMap(t *testing.T) {
	td := newTandem(t)
	path := write(t, "x.csv", threePoints)
	link := td.URL + "/?box=-56.19100,-34.90020,-56.19000,-34.90000"

	_, out, err := run(t, td, Config{File: path})
	require.NoError(t, err)
	require.Contains(t, out, "  on the map: "+link+"\n")

	_, out, err = run(t, td, Config{File: path, JSON: true})
	require.NoError(t, err)
	var summary map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &summary))
	require.Equal(t, link, summary["map"])
}

func TestNoLinkToAMapWhereNothingIs(t *testing.T) {
	td := newTandem(t)
	for name, cfg := range map[string]Config{
		"a dry run":       {File: write(t, "x.csv", threePoints), DryRun: true},
		"nothing is read": {File: write(t, "y.csv", "driver,time,lat,lon\na,2020-01-01 00:00:00,0,0\n")},
	} {
		_, out, _ := run(t, td, cfg)
		require.NotEmpty(t, out, name)
		require.NotContains(t, out, "box=", name)
	}
}

// The map is Mercator's: it has no poles.
func TestALinkToTheMapStaysOnTheMap(t *testing.T) {
	_, out, err := run(t, newTandem(t), Config{File: write(t, "x.csv", "driver,time,lat,lon\na,2020-01-01 00:00:00,89,10\na,2020-01-01 01:00:00,88,10\n")})
	require.NoError(t, err)
	require.Contains(t, out, "/?box=10.00000,85.00000,10.00000,85.00000\n")
}
