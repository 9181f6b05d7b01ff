package heatmap

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang/geo/s2"
	"golang.org/x/sync/singleflight"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	defaultMinutes = 15
	mostRaw        = 24 * time.Hour // that one raw answer is of
	computeWithin  = 10 * time.Second
)

// spans are the minutes that the public heatmap can be asked for: a free
// choice would be a way to subtract one answer from another.
func spans() []int { return []int{defaultMinutes, 30, 60} }

// service answers from the store.
type service struct {
	store *store

	computing singleflight.Group // of public maps

	mu     sync.Mutex        // held only for a moment
	public map[int]publicMap // by minutes
}

func newService(s *store) *service { return &service{store: s, public: map[int]publicMap{}} }

// publicMap is the public heatmap of one minute: computed once, the same for all.
type publicMap struct {
	From    time.Time    `json:"from"`
	To      time.Time    `json:"to"`
	Minutes int          `json:"minutes"`
	Cells   []publicCell `json:"cells"`
}

type publicCell struct {
	Cell    string        `json:"cell"` // the S2 cell's token
	Level   int           `json:"level"`
	Class   string        `json:"class"` // of distinct drivers: 5-9, 10-19 ...
	Corners [4][2]float64 `json:"corners"`
}

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
	minutes := defaultMinutes
	if q := c.Query("minutes"); q != "" {
		n, err := strconv.Atoi(q)
		if err != nil || !slices.Contains(spans(), n) {
			return problem.Field("minutes", "It is one of %v.", spans())
		}
		minutes = n
	}

	switch c.Query("raw") {
	case "":
	case "1":
		return s.rawHTTP(c, minutes)
	default:
		return problem.Field("raw", "It is 1, for raw counts, or left out.")
	}
	for _, name := range []string{"from", "to"} {
		if c.Query(name) != "" {
			return problem.Field(name, "It is for raw=1 alone; without that, say minutes.")
		}
	}

	m, err := s.publicMap(c.Request.Context(), time.Now(), minutes)
	if err != nil {
		return err
	}

	// Private, since a shared cache does not check tokens.
	c.Header("Cache-Control", "private, max-age=15")
	c.JSON(http.StatusOK, m)
	return nil
}

// publicMap returns the heatmap of the last whole minutes before now. Everybody is
// answered from the same map for a minute: two that differ by one driver could be
// subtracted.
func (s *service) publicMap(ctx context.Context, now time.Time, minutes int) (publicMap, error) {
	to := now.UTC().Truncate(window)
	if m, ok := s.computed(minutes, to); ok {
		return m, nil
	}

	// Many askers cost one computation. It is nobody's own: whoever asked first may
	// leave, and nobody waits longer than it wants to.
	answer := s.computing.DoChan(fmt.Sprint(minutes, " ", to.Unix()), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), computeWithin)
		defer cancel()
		return s.compute(ctx, to, minutes)
	})
	select {
	case <-ctx.Done():
		return publicMap{}, ctx.Err()
	case r := <-answer:
		if r.Err != nil {
			return publicMap{}, r.Err
		}
		return r.Val.(publicMap), nil //nolint:forcetypeassert // compute's
	}
}

// computed returns the map, if there is one yet.
func (s *service) computed(minutes int, to time.Time) (publicMap, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()

	m, ok := s.public[minutes]
	return m, ok && m.To.Equal(to)
}

func (s *service) compute(ctx context.Context, to time.Time, minutes int) (publicMap, error) {
	// It may have been computed since it was looked for: a second one would differ.
	if m, ok := s.computed(minutes, to); ok {
		return m, nil
	}

	m := publicMap{From: to.Add(-time.Duration(minutes) * time.Minute), To: to, Minutes: minutes, Cells: []publicCell{}}
	present, err := s.store.present(ctx, m.From, m.To)
	if err != nil {
		return publicMap{}, err
	}
	for _, a := range partition(present) {
		m.Cells = append(m.Cells, publicCell{Cell: a.cell.ToToken(), Level: a.cell.Level(), Class: class(a.drivers), Corners: corners(a.cell)})
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.public[minutes] = m
	return m, nil
}

// rawHTTP answers operators with counts of points by cell, of the last minutes
// or of [from, to).
func (s *service) rawHTTP(c *gin.Context, minutes int) error {
	if httpserver.Identity(c).Role != auth.Admin {
		return problem.New(problem.Forbidden, "Raw counts are for the role admin.")
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

	rows, err := s.store.raw(c.Request.Context(), from, to)
	if err != nil {
		return err
	}

	cells := make([]rawMapCell, len(rows))
	for i, row := range rows {
		id := s2.CellID(row.Cell) //nolint:gosec // all 64 bits are kept
		cells[i] = rawMapCell{
			Cell: id.ToToken(), Level: id.Level(), N: row.N,
			FirstArrived: row.FirstArrived.UTC(), LastArrived: row.LastArrived.UTC(), Corners: corners(id),
		}
	}

	c.JSON(http.StatusOK, gin.H{"from": from.UTC(), "to": to.UTC(), "cells": cells})
	return nil
}
