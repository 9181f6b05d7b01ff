package heatmap

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/golang/geo/s2"
	"github.com/jackc/pgx/v5"

	"tandem/services/domain/areas"
	"tandem/services/domain/geo"
)

const (
	// settle is how long after its end a minute is first shown: points are read a
	// second or two after they were sent, and what comes later is never on its map.
	settle        = 5 * time.Second
	mostBack      = time.Hour // from the newest minute to the oldest that can be asked for
	computeWithin = 10 * time.Second
)

// publicMap is the public heatmap of one minute: the same for all who ask, whenever
// they ask.
type publicMap struct {
	From  time.Time    `json:"from"`
	To    time.Time    `json:"to"`
	Cells []publicCell `json:"cells"`
}

type publicCell struct {
	areas.Shown

	id s2.CellID
}

// newestMinute returns the start of the newest minute that is shown at now.
func newestMinute(now time.Time) time.Time {
	return now.UTC().Add(-settle).Truncate(window).Add(-window)
}

// publicMap returns the heatmap of the minute that begins at from. Minutes do not
// overlap, and each has one map for ever: nothing can be subtracted from anything.
func (s *service) publicMap(ctx context.Context, from time.Time) (publicMap, error) {
	if m, ok := s.computed(from); ok {
		return m, nil
	}

	// Many askers cost one computation. It is nobody's own: whoever asked first may
	// leave, and nobody waits longer than it wants to.
	answer := s.computing.DoChan(from.Format(time.RFC3339), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), computeWithin)
		defer cancel()
		return s.compute(ctx, from)
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

// computed returns the map, if this process has it.
func (s *service) computed(from time.Time) (publicMap, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()

	m, ok := s.public[from]
	return m, ok
}

func (s *service) compute(ctx context.Context, from time.Time) (publicMap, error) {
	kept, err := s.store.shown(ctx, from)
	if errors.Is(err, pgx.ErrNoRows) {
		kept, err = s.show(ctx, from)
	}
	if err != nil {
		return publicMap{}, err
	}

	m := publicMap{From: from, To: from.Add(window), Cells: make([]publicCell, len(kept.cells))}
	for i, cell := range kept.cells {
		id := s2.CellID(cell) //nolint:gosec // all 64 bits are kept
		m.Cells[i] = publicCell{Shown: areas.Show(id, kept.classes[i]), id: id}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := newestMinute(time.Now()).Add(-mostBack)
	maps.DeleteFunc(s.public, func(minute time.Time, _ publicMap) bool { return minute.Before(oldest) })
	s.public[from] = m
	return m, nil
}

// show computes a minute's map and keeps it. Another process may have been first,
// with fewer points or more: then its map counts.
func (s *service) show(ctx context.Context, from time.Time) (shown, error) {
	present, err := s.store.present(ctx, from)
	if err != nil {
		return shown{}, err
	}

	m := shown{cells: []int64{}, classes: []string{}}
	for _, a := range areas.Partition(present) {
		m.cells = append(m.cells, int64(a.Cell)) //nolint:gosec // all 64 bits are kept
		m.classes = append(m.classes, areas.Class(a.People))
	}
	return s.store.keepShown(ctx, from, m)
}

// inView returns the cells of a public map that a viewport is answered with: all in
// every coarsest cell that meets it. A cell alone would not tell which places it
// counts, since those in a finer one are not among them.
func inView(cells []publicCell, view geo.Box) []publicCell {
	out := []publicCell{}
	for _, c := range cells {
		if meets(c.id.Parent(areas.FloorLevel), view) {
			out = append(out, c)
		}
	}
	return out
}
