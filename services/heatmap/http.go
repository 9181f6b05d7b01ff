package heatmap

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang/geo/s2"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardgroup"
)

const defaultMinutes = 15

// spans are the minutes that the public heatmap can be asked for: a free
// choice would be a way to subtract one answer from another.
func spans() []int { return []int{defaultMinutes, 30, 60} }

// reader is the running service.
type reader struct {
	store *store
	stats *points.Stats
	seen  *points.Recent
	group *shardgroup.Group

	mu     sync.Mutex
	public map[int]publicMap // by minutes
}

// publicMap is the public heatmap of one minute: made once, the same for all.
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

func (r *reader) routes() []httpserver.Route {
	everybody := []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/heatmap", Roles: everybody, Handle: r.heatmapHTTP},
		{Method: http.MethodGet, Path: "/v1/seen", Roles: []auth.Role{auth.Admin, auth.Service}, Handle: r.seenHTTP},
	}
}

func (r *reader) heatmapHTTP(c *gin.Context) error {
	minutes := defaultMinutes
	if q := c.Query("minutes"); q != "" {
		n, err := strconv.Atoi(q)
		if err != nil || !slices.Contains(spans(), n) {
			return problem.Field("minutes", "It is one of %v.", spans())
		}
		minutes = n
	}
	if c.Query("raw") == "1" {
		return r.rawHTTP(c, minutes)
	}
	m, err := r.publicMap(c.Request.Context(), time.Now(), minutes)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, max-age=15")
	c.JSON(http.StatusOK, m)
	return nil
}

// publicMap gives the heatmap of the last whole minutes before now.
func (r *reader) publicMap(ctx context.Context, now time.Time, minutes int) (publicMap, error) {
	to := now.UTC().Truncate(window)
	r.mu.Lock()
	defer r.mu.Unlock()
	if m, ok := r.public[minutes]; ok && m.To.Equal(to) {
		return m, nil
	}
	m := publicMap{From: to.Add(-time.Duration(minutes) * time.Minute), To: to, Minutes: minutes, Cells: []publicCell{}}
	present, err := r.store.present(ctx, m.From, m.To)
	if err != nil {
		return publicMap{}, err
	}
	for _, a := range partition(present) {
		m.Cells = append(m.Cells, publicCell{Cell: a.cell.ToToken(), Level: a.cell.Level(), Class: class(a.drivers), Corners: corners(a.cell)})
	}
	r.public[minutes] = m
	return m, nil
}

// rawHTTP answers operators with counts of points by cell, of the last minutes
// or of [from, to).
func (r *reader) rawHTTP(c *gin.Context, minutes int) error {
	if httpserver.Identity(c).Role != auth.Admin {
		return problem.New(problem.Forbidden, "Raw counts are for the role admin.")
	}
	to, err := timeParam(c, "to", time.Now())
	if err != nil {
		return err
	}
	from, err := timeParam(c, "from", to.Add(-time.Duration(minutes)*time.Minute).Truncate(window))
	if err != nil {
		return err
	}
	rows, err := r.store.raw(c.Request.Context(), from, to)
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

func timeParam(c *gin.Context, name string, missing time.Time) (time.Time, error) {
	q := c.Query(name)
	if q == "" {
		return missing, nil
	}
	t, err := time.Parse(time.RFC3339Nano, q)
	if err != nil {
		return time.Time{}, problem.Field(name, "It is a time like 2026-11-24T12:00:00.000Z.")
	}
	return t, nil
}

func (r *reader) seenHTTP(c *gin.Context) error {
	driver := c.Query("driver")
	if driver == "" {
		return problem.Field("driver", "Name a driver.")
	}
	c.JSON(http.StatusOK, gin.H{"seen": r.seen.Last(driver)})
	return nil
}

func (r *reader) status() any {
	d, group := r.stats.Detail(name), r.group.Status()
	d.Records, d.Parked, d.Gaps = group.Records, group.Parked, group.Gaps
	for _, s := range group.Shards {
		one := points.ShardDetail{Shard: s.Shard, Sequence: s.Sequence, BehindMS: s.Behind.Milliseconds(), Worker: s.Worker, Drained: s.Drained}
		if s.Err != nil {
			one.Error = s.Err.Error()
		}
		d.Shards = append(d.Shards, one)
	}
	return d
}

func (r *reader) processor(string) shardgroup.Processor {
	return &processor{store: r.store, stats: r.stats, seen: r.seen, marks: map[string]int64{}}
}
