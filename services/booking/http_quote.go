package booking

import (
	"math"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
	"tandem/services/internal/problem"
)

const placesFound = 8 // at most, in one answer

// quote is GET /v1/quote?pickup=lat,lon&dropoff=lat,lon.
func (s *service) quote(c *gin.Context) error {
	pickup, err := pointParam(c, "pickup")
	if err != nil {
		return err
	}
	dropoff, err := pointParam(c, "dropoff")
	if err != nil {
		return err
	}

	q, err := s.quoteFor(ride.Place{Point: pickup}, ride.Place{Point: dropoff})
	if err != nil {
		return err
	}

	c.JSON(http.StatusOK, q)
	return nil
}

type routeAnswer struct {
	Points    [][2]float64 `json:"points"`     // latitude, longitude
	SpeedsMPS []float64    `json:"speeds_mps"` // from each point to the next
	DistanceM float64      `json:"distance_m"`
	DurationS float64      `json:"duration_s"`
	Direct    bool         `json:"direct"`
}

// route is GET /v1/route?from=lat,lon&to=lat,lon.
func (s *service) route(c *gin.Context) error {
	from, err := pointParam(c, "from")
	if err != nil {
		return err
	}
	to, err := pointParam(c, "to")
	if err != nil {
		return err
	}

	r, err := s.city.Route(from, to)
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "There is no way between these places.")
	}

	out := routeAnswer{SpeedsMPS: r.SpeedsMPS, DistanceM: r.DistanceM, DurationS: r.Duration.Seconds(), Direct: r.Direct}
	for _, p := range r.Points {
		out.Points = append(out.Points, [2]float64{p.Lat, p.Lon})
	}

	c.JSON(http.StatusOK, out)
	return nil
}

// places is GET /v1/places?q=: places whose name matches.
func (s *service) places(c *gin.Context) error {
	q := c.Query("q")
	if len(q) > maxLabel {
		return problem.Field("q", "At most %d bytes.", maxLabel)
	}

	found := s.city.Search(q, placesFound)
	if found == nil {
		found = []city.Place{} // in JSON [], not null
	}

	c.JSON(http.StatusOK, gin.H{"places": found})
	return nil
}

// near is GET /v1/places/near?lat=&lon=: the place next to a point, with its name.
func (s *service) near(c *gin.Context) error {
	lat, err := degreesParam(c, "lat", "latitude", 90)
	if err != nil {
		return err
	}
	lon, err := degreesParam(c, "lon", "longitude", 180)
	if err != nil {
		return err
	}

	c.JSON(http.StatusOK, s.city.Nearest(geo.Point{Lat: lat, Lon: lon}))
	return nil
}

func degreesParam(c *gin.Context, name, what string, most float64) (float64, error) {
	d, err := strconv.ParseFloat(c.Query(name), 64)
	if err != nil || !(math.Abs(d) <= most) { // not NaN either
		return 0, problem.Field(name, "%q is not a %s: %g to %g, in degrees.", c.Query(name), what, -most, most)
	}
	return d, nil
}

func pointParam(c *gin.Context, name string) (geo.Point, error) {
	return parsePoint(name, c.Query(name))
}
