package nearby

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
)

// The tree is walked a little farther than the reach; what lies in between is not
// found.
func TestReachIsExact(t *testing.T) {
	x := newIndex()
	here, there := geo.Point{Lat: -34.9, Lon: -56.2}, geo.Point{Lat: -34.90905, Lon: -56.2}
	x.apply(event.Point{Driver: "d", Seq: 1, Lat: there.Lat, Lon: there.Lon}, time.Now())

	d := geo.Distance(here, there)
	require.Empty(t, x.near(here, 8, d/1.005))
	require.Len(t, x.near(here, 8, d*1.005), 1)
}
