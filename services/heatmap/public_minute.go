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
	"tandem/services/internal/problem"
)

const (
	// settle is how long after its end points of a minute may arrive to be on its map:
	// what comes later is never on it.
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

// newestMinute returns the start of the newest minute whose map is final once all that
// arrived before a time is counted.
func newestMinute(before time.Time) time.Time {
	return before.UTC().Add(-settle).Truncate(window).Add(-window)
}

// newestFinal returns the newest minute that can be shown at now: while the reader is
// behind, that is an older one than usual, and an error where it is too old.
func (s *service) newestFinal(ctx context.Context, now time.Time) (time.Time, error) {
	newest := newestMinute(now)
	if _, ok := s.computed(newest); ok {
		return newest, nil
	}

	applied, err := s.store.applied(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if final := newestMinute(applied); final.Before(newest) {
		if final.Before(newest.Add(-mostBack)) {
			return time.Time{}, notCounted(applied)
		}
		newest = final
	}
	return newest, nil
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
	// What is kept stays: of a minute that is not counted to its end it would say for ever
	// that nobody was there.
	applied, err := s.store.applied(ctx)
	if err != nil {
		return shown{}, err
	}
	if from.After(newestMinute(applied)) {
		return shown{}, notCounted(applied)
	}

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

// notCounted is the answer about a minute of which points may still be uncounted.
func notCounted(applied time.Time) error {
	if applied.IsZero() {
		return problem.New(problem.Unavailable, "The heatmap has not begun to count. Try again in some seconds.")
	}
	return problem.New(problem.Unavailable, "The heatmap is behind: it has counted what arrived up to %s. Try again later, or ask for an earlier minute.", applied.UTC().Format(time.RFC3339))
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
