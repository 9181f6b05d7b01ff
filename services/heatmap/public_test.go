package heatmap

import (
	"fmt"
	"testing"

	"github.com/golang/geo/s2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func cellAt(lat, lon float64) s2.CellID {
	return s2.CellIDFromLatLng(s2.LatLngFromDegrees(lat, lon)).Parent(level)
}

// The attacks tried: finding an area of fewer than five drivers, and getting
// one by taking what is inside of an area away from it.
func TestNoAreaIsSmallAndNoneLiesInAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		present := map[s2.CellID][]string{}
		for range rapid.IntRange(0, 60).Draw(t, "fixes") {
			c := cellAt(-34.9+rapid.Float64Range(0, 0.03).Draw(t, "lat"), -56.2+rapid.Float64Range(0, 0.03).Draw(t, "lon"))
			present[c] = append(present[c], fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "driver")))
		}
		areas := partition(present)
		for i, a := range areas {
			require.GreaterOrEqual(t, a.cell.Level(), floorLevel)
			require.LessOrEqual(t, a.cell.Level(), level)
			drivers := map[string]bool{}
			for c, who := range present {
				if a.cell.Contains(c) {
					for _, d := range who {
						drivers[d] = true
					}
				}
			}
			require.Len(t, drivers, a.drivers)
			require.GreaterOrEqual(t, a.drivers, atLeast)
			for _, b := range areas[i+1:] {
				require.False(t, a.cell.Intersects(b.cell), "areas overlap")
			}
		}
		floors := map[s2.CellID]map[string]bool{}
		for c, who := range present {
			f := c.Parent(floorLevel)
			if floors[f] == nil {
				floors[f] = map[string]bool{}
			}
			for _, d := range who {
				floors[f][d] = true
			}
		}
		for c := range present {
			shown := false
			for _, a := range areas {
				shown = shown || a.cell.Contains(c)
			}
			require.Equal(t, len(floors[c.Parent(floorLevel)]) >= atLeast, shown, "a floor is shown whole or not at all")
		}
	})
}

func TestClasses(t *testing.T) {
	for n, want := range map[int]string{4: "", 5: "5-9", 9: "5-9", 10: "10-19", 20: "20-49", 99: "50-99", 1000: "100+"} {
		require.Equal(t, want, class(n))
	}
}
