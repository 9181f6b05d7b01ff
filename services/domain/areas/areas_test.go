package areas

import (
	"fmt"
	"testing"

	"github.com/golang/geo/s2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func cellAt(lat, lon float64) s2.CellID {
	return s2.CellIDFromLatLng(s2.LatLngFromDegrees(lat, lon)).Parent(Level)
}

// Every place where somebody was counts in one area of at least five drivers, or in what
// is left of a coarsest cell, which is fewer.
func TestNoAreaIsSmallAndEachPlaceCountsInOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		present := map[s2.CellID][]string{}
		for range rapid.IntRange(0, 60).Draw(t, "fixes") {
			c := cellAt(-34.9+rapid.Float64Range(0, 0.03).Draw(t, "lat"), -56.2+rapid.Float64Range(0, 0.03).Draw(t, "lon"))
			present[c] = append(present[c], fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "driver")))
		}
		areas := Partition(present)
		for i, a := range areas {
			require.GreaterOrEqual(t, a.Cell.Level(), FloorLevel)
			require.LessOrEqual(t, a.Cell.Level(), Level)
			drivers := map[string]bool{}
			for c, who := range present {
				if finest(areas, c) != i {
					continue
				}
				for _, d := range who {
					drivers[d] = true
				}
			}
			require.Len(t, drivers, a.People)
			require.GreaterOrEqual(t, a.People, AtLeast)
		}
		left := map[s2.CellID]map[string]bool{}
		for c, who := range present {
			if finest(areas, c) >= 0 {
				continue
			}
			f := c.Parent(FloorLevel)
			if left[f] == nil {
				left[f] = map[string]bool{}
			}
			for _, d := range who {
				left[f][d] = true
			}
		}
		for f, who := range left {
			require.Less(t, len(who), AtLeast, "enough drivers of %s are not shown", f.ToToken())
		}
	})
}

// finest returns which area a place belongs to: that of the smallest cell; -1: none.
func finest(areas []Area, c s2.CellID) int {
	best := -1
	for i, a := range areas {
		if a.Cell.Contains(c) && (best < 0 || a.Cell.Level() > areas[best].Cell.Level()) {
			best = i
		}
	}
	return best
}

func TestClasses(t *testing.T) {
	for n, want := range map[int]string{4: "", 5: "5-9", 9: "5-9", 10: "10-19", 20: "20-49", 99: "50-99", 1000: "100+"} {
		require.Equal(t, want, Class(n))
	}
}
