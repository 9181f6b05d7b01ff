package nearby

import (
	"math"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/geo"
	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	defaultLimit = 8
	maxLimit     = 2560 // dispatch asks for as many where the nearest are busy
	defaultM     = 5_000
	maxM         = 50_000
)

// Routes is the service's table of routes.
func Routes() []httpserver.Route { return append(routes(nil), points.LiveRoutes()...) }

func routes(x *index) []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/nearby", Roles: []auth.Role{auth.Service, auth.Admin}, Handle: x.nearHTTP},
		{Method: http.MethodGet, Path: "/v1/nearby/:id", Roles: []auth.Role{auth.Service, auth.Admin}, Handle: x.lastHTTP},
	}
}

// errBlind is the answer after this process was stopped, or the stream was away,
// until the points since then have been read.
var errBlind = problem.New(problem.Unavailable, "Where drivers are is not known now: the stream has not been read for %s. Try again in a second.", blindAfter)

// errPartlyBlind is the answer about a driver who is not known while a shard is not read.
var errPartlyBlind = problem.New(problem.Unavailable, "Where this driver is is not known now: a shard of the stream has not been read for %s. Try again in a second.", blindAfter)

// nearHTTP is GET /v1/nearby?lat=&lon=&limit=&within_m=.
func (x *index) nearHTTP(c *gin.Context) error {
	lat, err := number(c, "lat", -90, 90, math.NaN())
	if err != nil {
		return err
	}
	lon, err := number(c, "lon", -180, 180, math.NaN())
	if err != nil {
		return err
	}
	limit, err := number(c, "limit", 1, maxLimit, defaultLimit)
	if err != nil {
		return err
	}
	within, err := number(c, "within_m", 1, maxM, defaultM)
	if err != nil {
		return err
	}

	blind, partly := x.blind()
	if blind {
		return errBlind
	}

	// While a shard is not read the others' drivers are worth more than a refusal, by which
	// dispatch would take no ride at all. That some may be missing is told.
	c.JSON(http.StatusOK, gin.H{"drivers": x.near(geo.Point{Lat: lat, Lon: lon}, int(limit), within), "complete": !partly})
	return nil
}

// place is where a driver was at its newest fix.
type place struct {
	DriverID string `json:"driver_id"`
	geo.Point
	At int64 `json:"at"` // fix time, ms since 1970 UTC
}

// lastHTTP is GET /v1/nearby/{driver id}.
func (x *index) lastHTTP(c *gin.Context) error {
	blind, partly := x.blind()
	if blind {
		return errBlind
	}

	driver := c.Param("id")
	p, ok := x.last(driver)
	if !ok && partly {
		return errPartlyBlind
	}
	if !ok {
		return problem.New(problem.NotFound, "Driver %s has not been heard of for %s.", driver, silentAfter)
	}

	c.JSON(http.StatusOK, place{driver, geo.Point{Lat: p.Lat, Lon: p.Lon}, p.At})
	return nil
}

// number reads a query parameter. Where it is not given it is missing; with NaN
// as missing it must be given.
func number(c *gin.Context, name string, lo, hi, missing float64) (float64, error) {
	text := c.Query(name)
	if text == "" && !math.IsNaN(missing) {
		return missing, nil
	}

	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || v < lo || v > hi {
		return 0, problem.Field(name, "It is a number from %g to %g.", lo, hi)
	}
	return v, nil
}
