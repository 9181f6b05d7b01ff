// Package nearby knows where drivers are now, in memory, and answers which are
// near a place: the fourth reader of the stream, added without touching a
// producer. Dispatch asks it.
//
// It keeps nothing: it starts a minute back and is ready when it has caught up.
// A driver that has been silent for a minute is no longer near anything. Like
// mapfeed it reads by fan-out where a consumer nearby-1, nearby-2 … is to be had,
// else it polls (package newest).
package nearby

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/tidwall/rtree"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	silentAfter  = time.Minute
	defaultLimit = 8
	maxLimit     = 100
	defaultM     = 5_000
	maxM         = 50_000
)

// index is the drivers' newest points. It is safe for concurrent use.
type index struct {
	now func() time.Time
	mu  sync.RWMutex
	by  map[string]entry
	at  rtree.RTreeG[string]
}

type entry struct {
	event.Point
	heard time.Time // when the point arrived on the stream
}

func newIndex() *index { return &index{now: time.Now, by: map[string]entry{}} }

func corner(p event.Point) [2]float64 { return [2]float64{p.Lon, p.Lat} }

// apply moves a driver to its newest point.
func (x *index) apply(p event.Point, arrived time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if before, ok := x.by[p.Driver]; ok {
		x.at.Delete(corner(before.Point), corner(before.Point), p.Driver)
	}
	x.by[p.Driver] = entry{p, arrived}
	x.at.Insert(corner(p), corner(p), p.Driver)
}

// forget drops drivers that have been silent.
func (x *index) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for driver, e := range x.by {
		if x.now().Sub(e.heard) > silentAfter {
			x.at.Delete(corner(e.Point), corner(e.Point), driver)
			delete(x.by, driver)
		}
	}
}

func (x *index) forgetEvery(ctx context.Context, period time.Duration) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			x.forget()
		}
	}
}

// found is one driver near a place.
type found struct {
	DriverID string `json:"driver_id"`
	geo.Point
	Heading   float64 `json:"heading"`
	Speed     float64 `json:"speed"`
	At        int64   `json:"at"` // fix time, ms since 1970 UTC
	DistanceM float64 `json:"distance_m"`
}

// near gives the nearest drivers within metres of p, at most limit, nearest
// first.
func (x *index) near(p geo.Point, limit int, within float64) []found {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := []found{}
	here := [2]float64{p.Lon, p.Lat}
	scale := math.Cos(p.Lat * math.Pi / 180)
	// Squared degrees with longitude scaled order as metres do, over a city.
	distance := func(lo, hi [2]float64, _ string, _ bool) float64 {
		dx := max(lo[0]-here[0], 0, here[0]-hi[0]) * scale
		dy := max(lo[1]-here[1], 0, here[1]-hi[1])
		return dx*dx + dy*dy
	}
	x.at.Nearby(distance, func(_, _ [2]float64, driver string, _ float64) bool {
		e := x.by[driver]
		at := geo.Point{Lat: e.Lat, Lon: e.Lon}
		d := geo.Distance(p, at)
		if d > within*1.01 {
			return false // what follows is farther
		}
		if d <= within && x.now().Sub(e.heard) <= silentAfter {
			out = append(out, found{driver, at, e.Heading, e.Speed, e.At, math.Round(d)})
		}
		return len(out) < limit
	})
	return out
}

func (x *index) size() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.by)
}

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
	c.JSON(http.StatusOK, gin.H{"drivers": x.near(geo.Point{Lat: lat, Lon: lon}, int(limit), within)})
	return nil
}

// number reads a query member; missing is what it is without one, NaN: needed.
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

func (s *service) routes() []httpserver.Route {
	roles := []auth.Role{auth.Service, auth.Admin}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/nearby", Roles: roles, Handle: s.index.nearHTTP},
		{Method: http.MethodGet, Path: "/v1/seen", Roles: roles, Handle: func(c *gin.Context) error {
			c.JSON(http.StatusOK, gin.H{"seen": s.follower.Seen(c.Query("driver"))})
			return nil
		}},
	}
}
