package heatmap

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang/geo/r1"
	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
	"golang.org/x/sync/singleflight"

	"tandem/services/domain/areas"
	"tandem/services/domain/geo"
	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	defaultMinutes = 15
	mostRaw        = 24 * time.Hour // that one raw answer is of
)

// spans are the minutes that raw counts can be asked for without from and to.
func spans() []int { return []int{defaultMinutes, 30, 60} }

// service answers from the store.
type service struct {
	store *store

	computing singleflight.Group // of public maps

	mu     sync.Mutex              // held only for a moment
	public map[time.Time]publicMap // by the minute's start; those that can be asked for
}

func newService(s *store) *service { return &service{store: s, public: map[time.Time]publicMap{}} }

type rawMapCell struct {
	Cell         string        `json:"cell"`
	Level        int           `json:"level"`
	N            int64         `json:"n"`
	FirstArrived time.Time     `json:"first_arrived"`
	LastArrived  time.Time     `json:"last_arrived"`
	Corners      [4][2]float64 `json:"corners"`
}

// Routes is the service's table of routes.
func Routes() []httpserver.Route { return append((*service)(nil).routes(), points.Routes()...) }

func (s *service) routes() []httpserver.Route {
	everybody := []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/heatmap", Roles: everybody, Whose: "nobody's; with raw=1 an admin sees counts", Handle: s.heatmapHTTP},
	}
}

func (s *service) heatmapHTTP(c *gin.Context) error {
	raw := false
	switch c.Query("raw") {
	case "":
	case "1":
		raw = true
	default:
		return problem.Field("raw", "It is 1, for raw counts, or left out.")
	}

	view, err := viewParam(c)
	if err != nil {
		return err
	}
	if raw {
		return s.rawHTTP(c, view)
	}
	return s.publicHTTP(c, view)
}

// viewParam returns the viewport that is asked for; nil: everything.
func viewParam(c *gin.Context) (*geo.Box, error) {
	q := c.Query("box")
	if q == "" {
		return nil, nil //nolint:nilnil // said above
	}

	box, ok := geo.ParseBox(q)
	if !ok {
		return nil, problem.Field("box", "It is west,south,east,north in degrees, like -56.25,-34.95,-56.1,-34.85.")
	}
	return &box, nil
}

// meets reports whether a part of a cell lies in the view.
func meets(id s2.CellID, view geo.Box) bool {
	return rectOf(view).IntersectsCell(s2.CellFromCellID(id))
}

// rectOf returns a box as S2 knows it.
func rectOf(b geo.Box) s2.Rect {
	const rad = math.Pi / 180
	return s2.Rect{
		Lat: r1.Interval{Lo: b.South * rad, Hi: b.North * rad},
		Lng: s1.IntervalFromEndpoints(b.West*rad, b.East*rad),
	}
}

func (s *service) publicHTTP(c *gin.Context, view *geo.Box) error {
	for _, name := range []string{"from", "to", "minutes"} {
		if c.Query(name) != "" {
			return problem.Field(name, "It is for raw=1 alone; the public heatmap is of one minute, which at chooses.")
		}
	}

	now := time.Now()
	newest := newestMinute(now)
	at, err := httpserver.TimeParam(c, "at", newest)
	if err != nil {
		return err
	}
	from := at.UTC().Truncate(window)
	if from.After(newest) || from.Before(newest.Add(-mostBack)) {
		return problem.Field("at", "It lies in a minute from %s to %s.", newest.Add(-mostBack).Format(time.RFC3339), newest.Format(time.RFC3339))
	}

	if c.Query("at") == "" {
		if from, err = s.newestFinal(c.Request.Context(), now); err != nil {
			return err
		}
	}
	m, err := s.publicMap(c.Request.Context(), from)
	if err != nil {
		return err
	}
	if view != nil {
		m.Cells = inView(m.Cells, *view)
	}

	// Private, since a shared cache does not check tokens.
	c.Header("Cache-Control", "private, max-age=15")
	c.JSON(http.StatusOK, m)
	return nil
}

// rawHTTP answers operators with counts of points by cell, of the last minutes
// or of [from, to).
func (s *service) rawHTTP(c *gin.Context, view *geo.Box) error {
	if httpserver.Identity(c).Role != auth.Admin {
		return problem.New(problem.Forbidden, "Raw counts are for the role admin.")
	}

	if c.Query("at") != "" {
		return problem.Field("at", "It is for the public heatmap; with raw=1, say minutes, or from and to.")
	}
	minutes := defaultMinutes
	if q := c.Query("minutes"); q != "" {
		n, err := strconv.Atoi(q)
		if err != nil || !slices.Contains(spans(), n) {
			return problem.Field("minutes", "It is one of %v.", spans())
		}
		minutes = n
	}

	to, err := httpserver.TimeParam(c, "to", time.Now())
	if err != nil {
		return err
	}
	from, err := httpserver.TimeParam(c, "from", to.Add(-time.Duration(minutes)*time.Minute).Truncate(window))
	if err != nil {
		return err
	}

	if span := to.Sub(from); span < 0 || span > mostRaw {
		return problem.Field("from", "It lies before to, and at most %s before.", mostRaw)
	}

	rows, err := s.store.raw(c.Request.Context(), from, to, view)
	if err != nil {
		return err
	}

	cells := make([]rawMapCell, 0, len(rows))
	for _, row := range rows {
		id := s2.CellID(row.Cell) //nolint:gosec // all 64 bits are kept
		if view != nil && !meets(id, *view) {
			continue
		}
		cells = append(cells, rawMapCell{
			Cell: id.ToToken(), Level: id.Level(), N: row.N,
			FirstArrived: row.FirstArrived.UTC(), LastArrived: row.LastArrived.UTC(), Corners: areas.Corners(id),
		})
	}

	c.JSON(http.StatusOK, gin.H{"from": from.UTC(), "to": to.UTC(), "cells": cells})
	return nil
}
