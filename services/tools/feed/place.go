package feed

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tandem/services/domain/geo"
)

// checkPlace is what every format's points must pass.
func checkPlace(lat, lon float64) (geo.Point, error) {
	p := geo.Point{Lat: lat, Lon: lon}
	switch {
	case lat == 0 && lon == 0:
		return p, errors.New("0,0 is what a receiver writes that had no fix")
	case (lat < -90 || lat > 90) && p.Lat >= -180 && p.Lat <= 180 && lon >= -90 && lon <= 90:
		return p, fmt.Errorf("latitude %g is no place (-90 to 90): are latitude and longitude swapped?", lat)
	case !p.Valid():
		return p, fmt.Errorf("%g,%g is no place: latitude is -90 to 90, longitude -180 to 180", lat, lon)
	}
	return p, nil
}

func parsePlace(lat, lon string) (geo.Point, error) {
	la, err := parseDegrees("latitude", lat)
	if err != nil {
		return geo.Point{}, err
	}
	lo, err := parseDegrees("longitude", lon)
	if err != nil {
		return geo.Point{}, err
	}
	return checkPlace(la, lo)
}

func parseDegrees(what, s string) (float64, error) {
	number := s
	if strings.Count(s, ",") == 1 && !strings.Contains(s, ".") {
		number = strings.Replace(s, ",", ".", 1) // a decimal comma: the separator is another
	}
	x, err := strconv.ParseFloat(number, 64)
	switch {
	case err == nil:
		return x, nil
	case s == "":
		return 0, fmt.Errorf("%s is empty", what)
	case compassed(number):
		return 0, fmt.Errorf("%s %q is not a number: write south and west with a minus, without a letter", what, s)
	}
	return 0, fmt.Errorf("%s %q is not a number", what, s)
}

// compassed reports whether s is a number with a compass letter.
func compassed(s string) bool {
	cut := strings.TrimRight(s, "NSEWnsew ")
	_, err := strconv.ParseFloat(cut, 64)
	return err == nil && cut != s
}
