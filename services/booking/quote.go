package booking

import (
	"math"
	"strconv"
	"strings"

	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
	"tandem/services/internal/problem"
)

const (
	currency    = "UYU"
	priceBase   = 6_000 // centésimos
	pricePerKM  = 3_200
	pricePerMin = 450
	priceRound  = 500
	shortestM   = 20
	longestM    = 200_000
)

type quoteAnswer struct {
	DistanceM int64      `json:"distance_m"`
	DurationS int64      `json:"duration_s"`
	Price     ride.Money `json:"price"`
	Direct    bool       `json:"direct"` // by air: the city's map has no streets there
}

// quoteFor checks both ends, finds the way and computes the price.
func (s *service) quoteFor(pickup, dropoff ride.Place) (quoteAnswer, error) {
	if err := checkEnds(pickup, dropoff); err != nil {
		return quoteAnswer{}, err
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

func checkEnds(pickup, dropoff ride.Place) error {
	for _, end := range []struct {
		field string
		place ride.Place
	}{{"pickup", pickup}, {"dropoff", dropoff}} {
		if !end.place.Valid() {
			return problem.Field(end.field, "This is not a place: lat is -90 to 90, lon -180 to 180, in degrees.")
		}
		// 0,0 is what a client sends that has forgotten to set a place.
		if end.place.Lat == 0 && end.place.Lon == 0 {
			return problem.Field(end.field, "Name a place: there is none here, or it is 0,0, which lies in the Atlantic.")
		}
		if len(end.place.Label) > maxLabel {
			return problem.Field(end.field+".label", "A label has at most %d bytes.", maxLabel)
		}
	}

	air := geo.Distance(pickup.Point, dropoff.Point)
	if air < shortestM {
		return problem.Field("dropoff", "Pick-up and drop-off are the same place: they lie at least %d m apart.", shortestM)
	}
	if air > longestM {
		return problem.Field("dropoff", "That is %.0f km away: a ride goes at most %d km.", air/1000, longestM/1000)
	}
	return nil
}

func price(r city.Route) ride.Money {
	amount := priceBase + pricePerKM*r.DistanceM/1000 + pricePerMin*r.Duration.Minutes()
	return ride.Money{AmountMinor: int64(math.Ceil(amount/priceRound)) * priceRound, Currency: currency}
}

// parsePoint reads latitude,longitude; name is the parameter that a problem names.
func parsePoint(name, text string) (geo.Point, error) {
	lat, lon, ok := strings.Cut(text, ",")
	la, errLat := strconv.ParseFloat(lat, 64)
	lo, errLon := strconv.ParseFloat(lon, 64)
	p := geo.Point{Lat: la, Lon: lo}
	if !ok || errLat != nil || errLon != nil || !p.Valid() || math.IsNaN(la) || math.IsNaN(lo) {
		return p, problem.Field(name, "%q is not a place: write latitude,longitude in degrees, such as -34.9,-56.2.", text)
	}
	return p, nil
}
