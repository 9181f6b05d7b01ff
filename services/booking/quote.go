package booking

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
	"tandem/services/internal/problem"
)

const (
	currency     = "UYU"
	priceBase    = 6_000 // centésimos
	pricePerKM   = 3_200
	pricePerMin  = 450
	priceRound   = 500
	shortestM    = 20
	longestM     = 200_000
	searchAnswer = 8
)

type quoteAnswer struct {
	DistanceM int64      `json:"distance_m"`
	DurationS int64      `json:"duration_s"`
	Price     ride.Money `json:"price"`
	Direct    bool       `json:"direct"` // by air: no streets are known there
}

// quoteFor checks both ends and works out way and price.
func (s *service) quoteFor(pickup, dropoff ride.Place) (quoteAnswer, error) {
	for _, end := range []struct {
		field string
		place ride.Place
	}{{"pickup", pickup}, {"dropoff", dropoff}} {
		if !end.place.Valid() {
			return quoteAnswer{}, problem.Field(end.field, "This is no place: lat is -90 to 90, lon -180 to 180, in degrees.")
		}
		if end.place.Lat == 0 && end.place.Lon == 0 {
			return quoteAnswer{}, problem.Field(end.field, "0,0 lies in the Atlantic: name a place.")
		}
		if len(end.place.Label) > maxLabel {
			return quoteAnswer{}, problem.Field(end.field+".label", "A label has at most %d bytes.", maxLabel)
		}
	}
	air := geo.Distance(pickup.Point, dropoff.Point)
	if air < shortestM {
		return quoteAnswer{}, problem.Field("dropoff", "Pick-up and drop-off are the same place: they lie at least %d m apart.", shortestM)
	}
	if air > longestM {
		return quoteAnswer{}, problem.Field("dropoff", "That is %.0f km away: a ride goes at most %d km.", air/1000, longestM/1000)
	}
	r, err := s.city.Route(pickup.Point, dropoff.Point)
	if err != nil {
		return quoteAnswer{}, problem.Wrap(err, problem.Invalid, "There is no way between these places.")
	}
	return quoteAnswer{
		DistanceM: int64(math.Round(r.DistanceM)), DurationS: int64(math.Round(r.Duration.Seconds())),
		Price: price(r), Direct: r.Direct,
	}, nil
}

func price(r city.Route) ride.Money {
	amount := priceBase + pricePerKM*r.DistanceM/1000 + pricePerMin*r.Duration.Minutes()
	return ride.Money{AmountMinor: int64(math.Ceil(amount/priceRound)) * priceRound, Currency: currency}
}

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

func (s *service) places(c *gin.Context) error {
	q := c.Query("q")
	if len(q) > maxLabel {
		return problem.Field("q", "At most %d bytes.", maxLabel)
	}
	found := s.city.Search(q, searchAnswer)
	if found == nil {
		found = []city.Place{}
	}
	c.JSON(http.StatusOK, gin.H{"places": found})
	return nil
}

// near is GET /v1/places/near?lat=&lon=: what a place is called.
func (s *service) near(c *gin.Context) error {
	p, err := parsePoint("lat", c.Query("lat")+","+c.Query("lon"))
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, s.city.Nearest(p))
	return nil
}

func pointParam(c *gin.Context, name string) (geo.Point, error) {
	return parsePoint(name, c.Query(name))
}

func parsePoint(name, text string) (geo.Point, error) {
	lat, lon, ok := strings.Cut(text, ",")
	la, errLat := strconv.ParseFloat(lat, 64)
	lo, errLon := strconv.ParseFloat(lon, 64)
	p := geo.Point{Lat: la, Lon: lo}
	if !ok || errLat != nil || errLon != nil || !p.Valid() || math.IsNaN(la) || math.IsNaN(lo) {
		return p, problem.Field(name, "%q is no place: write latitude,longitude in degrees, such as -34.9,-56.2.", text)
	}
	return p, nil
}
